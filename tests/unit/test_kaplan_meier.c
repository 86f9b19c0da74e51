#include "kaplan_meier.h"

#include <criterion/criterion.h>
#include <math.h>

struct expected {
    double time;
    uint64_t at_risk;
    uint64_t ended;
    double survival;
    double low;
    double high;
};

/* Weibull durations, censored at random, and what R's survival and a second implementation make of them. */
/* time, ended, censored */
static const uint32_t rows_a[][3] = {
    {5, 2, 0},   {10, 4, 3},  {15, 5, 1},  {20, 6, 3},  {25, 3, 0},  {30, 3, 7},  {35, 3, 0},
    {40, 3, 1},  {45, 6, 1},  {50, 3, 3},  {55, 5, 0},  {60, 1, 2},  {65, 2, 1},  {70, 1, 2},
    {75, 1, 0},  {85, 2, 0},  {90, 2, 0},  {95, 1, 0},  {100, 4, 2}, {105, 6, 1}, {110, 2, 2},
    {120, 1, 0}, {125, 2, 1}, {130, 2, 0}, {140, 1, 1}, {145, 1, 0}, {150, 4, 0}, {155, 1, 0},
    {160, 1, 0}, {165, 3, 0}, {185, 1, 0}, {190, 1, 0}, {200, 1, 0}, {215, 2, 0}, {225, 0, 1},
    {240, 1, 0}, {255, 1, 0}};
static const struct expected expected_a[] = {
    {5, 120, 2, 0.983333333333333, 0.935005077320173, 0.99580546943769},
    {10, 118, 4, 0.95, 0.892094965585488, 0.977221400731541},
    {15, 111, 5, 0.907207207207207, 0.838675430266715, 0.947521394376566},
    {20, 105, 6, 0.855366795366795, 0.777622362418633, 0.907522319440902},
    {25, 96, 3, 0.828636583011583, 0.74697431121311, 0.885926412570586},
    {30, 93, 3, 0.801906370656371, 0.716963291530693, 0.863747926009202},
    {35, 83, 3, 0.772921803042285, 0.684335729404555, 0.839529058691524},
    {40, 80, 3, 0.743937235428199, 0.652389465132999, 0.814764553516242},
    {45, 76, 6, 0.68520534842071, 0.589170229300508, 0.763277169094722},
    {50, 69, 3, 0.655413811532853, 0.557764376386752, 0.736578374111377},
    {55, 63, 5, 0.603396842363579, 0.503503267748883, 0.689400848603261},
    {60, 58, 1, 0.592993448529724, 0.492826254011528, 0.679820133645535},
    {65, 55, 2, 0.57143005040137, 0.470693683949608, 0.659950773587547},
    {70, 52, 1, 0.560441010970575, 0.459461526136499, 0.649784963522656},
    {75, 49, 1, 0.549003439318114, 0.447731815706479, 0.639234296437072},
    {85, 48, 2, 0.526128296013193, 0.42450353969944, 0.617951173448988},
    {90, 46, 2, 0.503253152708271, 0.401572759051156, 0.596430242495411},
    {95, 44, 1, 0.491815581055811, 0.39021571676038, 0.585581871825394},
    {100, 43, 4, 0.446065294445968, 0.345489598430811, 0.541608537876444},
    {105, 37, 6, 0.373730381833108, 0.276315526794326, 0.470888326285982},
    {110, 30, 2, 0.348815023044234, 0.253032828783617, 0.4461134062352},
    {120, 26, 1, 0.335399060619456, 0.240434800847415, 0.432876634988214},
    {125, 25, 2, 0.3085671357699, 0.215659039145615, 0.406068557289193},
    {130, 22, 2, 0.280515577972636, 0.190088544043779, 0.377873920391931},
    {140, 20, 1, 0.266489799074004, 0.17756704096013, 0.36356595408195},
    {145, 18, 1, 0.25168481023656, 0.164354149297539, 0.348542056282416},
    {150, 17, 4, 0.192464854886781, 0.113896421082299, 0.286531170652281},
    {155, 13, 1, 0.177659866049336, 0.101929730203743, 0.270501915007282},
    {160, 12, 1, 0.162854877211891, 0.0902519186295844, 0.254234757715908},
    {165, 11, 3, 0.118439910699557, 0.0572031110859362, 0.203786211815751},
    {185, 8, 1, 0.103634921862113, 0.0469712975606733, 0.186316580839234},
    {190, 7, 1, 0.0888299330246681, 0.0372245938186676, 0.168443750252077},
    {200, 6, 1, 0.0740249441872234, 0.0280511300011111, 0.150098250343112},
    {215, 5, 2, 0.044414966512334, 0.0120089767144456, 0.111570340919331},
    {240, 2, 1, 0.022207483256167, 0.00235365489475696, 0.0911470141225291},
    {255, 1, 1, 0, 0, NAN}};
/* time, ended, censored */
static const uint32_t rows_b[][3] = {
    {5, 4, 2},   {10, 0, 1},  {15, 4, 2},  {20, 3, 1},  {25, 5, 0},  {30, 1, 0},  {35, 1, 2},
    {40, 3, 0},  {45, 1, 2},  {50, 2, 2},  {55, 2, 1},  {60, 1, 1},  {65, 0, 3},  {70, 2, 1},
    {75, 0, 4},  {80, 1, 2},  {85, 2, 3},  {90, 0, 1},  {95, 1, 1},  {100, 2, 0}, {105, 1, 2},
    {110, 2, 1}, {115, 1, 1}, {120, 1, 0}, {125, 1, 1}, {130, 1, 0}, {135, 0, 1}, {140, 1, 0},
    {150, 1, 1}, {160, 2, 0}, {170, 0, 2}, {180, 2, 0}, {210, 2, 0}, {215, 2, 0}, {225, 1, 0},
    {230, 0, 1}, {235, 1, 0}, {245, 2, 0}, {255, 0, 1}, {280, 0, 1}, {305, 1, 0}, {325, 1, 0},
    {340, 1, 0}};
static const struct expected expected_b[] = {
    {5, 100, 4, 0.96, 0.896933226277172, 0.984796575964582},
    {15, 93, 4, 0.918709677419355, 0.843979889676349, 0.958506946167109},
    {20, 87, 3, 0.887030033370412, 0.805204033528346, 0.9358248831703},
    {25, 83, 5, 0.833594489191471, 0.742653813464146, 0.89463293450883},
    {30, 78, 1, 0.822907380355683, 0.730506023163149, 0.886049797564459},
    {35, 77, 1, 0.812220271519895, 0.718457758711858, 0.877370905150806},
    {40, 74, 3, 0.779292422674494, 0.681615588662572, 0.850237164497129},
    {45, 71, 1, 0.76831647305936, 0.669522766535872, 0.841023172642124},
    {50, 68, 2, 0.745718929734085, 0.644689276892863, 0.82192616105881},
    {55, 64, 2, 0.722415213179895, 0.61924206081992, 0.802035132727476},
    {60, 61, 1, 0.710572340832683, 0.606399318042016, 0.791840315297646},
    {70, 56, 2, 0.685194757231516, 0.578692186557518, 0.770054980376413},
    {80, 49, 1, 0.671211190757403, 0.563214420905644, 0.758167208180491},
    {85, 46, 2, 0.642028095507082, 0.531097242899617, 0.733230204957881},
    {95, 40, 1, 0.625977393119404, 0.51326688701612, 0.719635060208428},
    {100, 38, 2, 0.593031214534173, 0.477217208007896, 0.691392940392829},
    {105, 36, 1, 0.576558125241557, 0.459590160021114, 0.677010163192244},
    {110, 33, 2, 0.54161520856025, 0.422378276693124, 0.646433738736845},
    {115, 30, 1, 0.523561368274909, 0.403413904450602, 0.630480729739824},
    {120, 28, 1, 0.504862747979376, 0.383888563116465, 0.61390623436313},
    {125, 27, 1, 0.486164127683844, 0.364699213345935, 0.597103243811671},
    {130, 25, 1, 0.46671756257649, 0.344849108655307, 0.579592449131958},
    {140, 23, 1, 0.446425494638382, 0.324256522890384, 0.561288802934408},
    {150, 22, 1, 0.426133426700274, 0.304080653010922, 0.542697794092126},
    {160, 20, 2, 0.383520084030246, 0.262421773622945, 0.503312481523205},
    {180, 16, 2, 0.335580073526465, 0.216206059471188, 0.459111201955922},
    {210, 14, 2, 0.287640063022685, 0.172881144887111, 0.412873994926364},
    {215, 12, 2, 0.239700052518904, 0.132429449806541, 0.364523608857732},
    {225, 10, 1, 0.215730047267014, 0.113327301059031, 0.339494690046247},
    {235, 8, 1, 0.188763791358637, 0.0919542662236558, 0.311985208697545},
    {245, 7, 2, 0.134831279541883, 0.0535355616778417, 0.25372638503623},
    {305, 3, 1, 0.089887519694589, 0.0221803577444909, 0.217838856295881},
    {325, 2, 1, 0.0449437598472945, 0.0041226161177733, 0.17330570186149},
    {340, 1, 1, 0, 0, NAN}};

enum { MOST_ROWS = 64 };

struct lists {
    struct distribution_step ended_steps[MOST_ROWS];
    struct distribution_step censored_steps[MOST_ROWS];
    struct distribution_steps ended;
    struct distribution_steps censored;
};

static void fill(struct lists *lists, const uint32_t rows[][3], size_t count, uint64_t width)
{
    lists->ended = (struct distribution_steps){0, lists->ended_steps};
    lists->censored = (struct distribution_steps){0, lists->censored_steps};
    for (size_t i = 0; i < count; i++) {
        if (rows[i][1] > 0) {
            lists->ended_steps[lists->ended.count++] =
                (struct distribution_step){rows[i][0], width, rows[i][1]};
        }
        if (rows[i][2] > 0) {
            lists->censored_steps[lists->censored.count++] =
                (struct distribution_step){rows[i][0], width, rows[i][2]};
        }
    }
}

static void check_curve(const struct survival_curve *curve, const struct expected *expected,
                        size_t count)
{
    cr_assert_eq(curve->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct survival_point *point = &curve->points[i];

        cr_assert_float_eq(point->time, expected[i].time, 0);
        cr_assert_eq(point->at_risk, expected[i].at_risk);
        cr_assert_eq(point->ended, expected[i].ended);
        cr_assert_float_eq(point->survival, expected[i].survival, 1e-12);
        cr_assert_float_eq(point->low, expected[i].low, 1e-9);
        cr_assert(isnan(expected[i].high) ? isnan(point->high)
                                          : fabs(point->high - expected[i].high) < 1e-9);
    }
}

Test(kaplan_meier, curves_are_those_of_the_reference)
{
    static struct lists lists;
    struct survival_curve curve;
    struct report_quantile quantile;

    fill(&lists, rows_a, ARRAY_SIZE(rows_a), 1);
    cr_assert_eq(kaplan_meier_make(&curve, &lists.ended, &lists.censored), 0);
    cr_assert_eq(curve.total, 120);
    check_curve(&curve, expected_a, ARRAY_SIZE(expected_a));
    quantile = survival_quantile(&curve, .5);
    cr_assert_float_eq(quantile.value, 95, 0);
    cr_assert_float_eq(quantile.low, 60, 0);
    cr_assert_float_eq(quantile.high, 105, 0);
    cr_assert_eq(quantile.reason, REASON_NONE);
    cr_assert_float_eq(survival_quantile(&curve, .9).value, 190, 0);
    survival_curve_release(&curve);

    fill(&lists, rows_b, ARRAY_SIZE(rows_b), 1);
    cr_assert_eq(kaplan_meier_make(&curve, &lists.ended, &lists.censored), 0);
    cr_assert_eq(curve.total, 100);
    check_curve(&curve, expected_b, ARRAY_SIZE(expected_b));
    quantile = survival_quantile(&curve, .5);
    cr_assert_float_eq(quantile.value, 125, 0);
    cr_assert_float_eq(quantile.low, 100, 0);
    cr_assert_float_eq(quantile.high, 180, 0);
    cr_assert_float_eq(survival_quantile(&curve, .9).value, 305, 0);
    survival_curve_release(&curve);
}

Test(kaplan_meier, a_quantile_beyond_what_was_seen_is_not_invented)
{
    static const uint32_t rows[][3] = {{10, 500, 0}, {20, 400, 0}, {25, 0, 100}};
    static struct lists lists;
    struct survival_curve curve;

    fill(&lists, rows, ARRAY_SIZE(rows), 1);
    cr_assert_eq(kaplan_meier_make(&curve, &lists.ended, &lists.censored), 0);
    cr_assert_float_eq(survival_quantile(&curve, .5).value, 10, 0);
    cr_assert_float_eq(survival_quantile(&curve, .9).value, 20, 0);

    struct report_quantile p95 = survival_quantile(&curve, .95);

    cr_assert(isnan(p95.value) && p95.reason == REASON_BEYOND_DATA);
    cr_assert(isnan(p95.high));
    cr_assert_eq(survival_quantile(&curve, .9999).reason, REASON_TOO_FEW);
    survival_curve_release(&curve);
}

Test(kaplan_meier, without_censored_ones_it_is_the_empirical_distribution)
{
    static const uint32_t rows[][3] = {{1, 10, 0}, {2, 20, 0}, {3, 30, 0}, {4, 40, 0}};
    static struct lists lists;
    struct survival_curve curve;

    fill(&lists, rows, ARRAY_SIZE(rows), 3);
    cr_assert_eq(kaplan_meier_make(&curve, &lists.ended, &lists.censored), 0);
    cr_assert_float_eq(curve.points[0].survival, .9, 1e-12);
    cr_assert_float_eq(curve.points[1].survival, .7, 1e-12);
    cr_assert_float_eq(curve.points[2].survival, .4, 1e-12);
    cr_assert_float_eq(curve.points[3].survival, 0, 1e-12);
    cr_assert_float_eq(survival_quantile(&curve, .3).value, 3, 0,
                       "the middle of the second bucket");
    survival_curve_release(&curve);
}

Test(kaplan_meier, nothing_ended_or_nothing_at_all)
{
    static const uint32_t rows[][3] = {{7, 0, 12}};
    static struct lists lists;
    struct survival_curve curve;

    fill(&lists, rows, ARRAY_SIZE(rows), 1);
    cr_assert_eq(kaplan_meier_make(&curve, &lists.ended, &lists.censored), 0);
    cr_assert_eq(curve.count, 0);
    cr_assert_eq(survival_quantile(&curve, .5).reason, REASON_BEYOND_DATA);
    survival_curve_release(&curve);
    fill(&lists, rows, 0, 1);
    cr_assert_eq(kaplan_meier_make(&curve, &lists.ended, &lists.censored), 0);
    cr_assert_eq(survival_quantile(&curve, .5).reason, REASON_NO_DATA);
    survival_curve_release(&curve);
}
