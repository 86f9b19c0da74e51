#include "report_run.h"

#include "attribute_effects.h"
#include "report_make.h"
#include "report_work.h"
#include "scan_files.h"

#include <errno.h>
#include <string.h>

enum {
    /* What names may take of the memory while they are counted. */
    NAME_SHARE_OF_MEMORY = 8,
    /* A scanning thread: its view of the file, a frame, a head. */
    SCANNER_BYTES = 12 << 20,
    LEAST_PLAN_SHARE = 2,
    /* What a frame takes while files are scanned and the plan is made. */
    FRAME_BYTES = 64,
};

struct report_job {
    const struct report_request *request;
    struct offset_list *bad; /* owned; of each path */
    struct report_plan plan;
    struct shared_windows windows;
    struct shared_load load;
    struct shared_queues queues;
    struct load_effects effects;
    struct report_totals totals;
};

static int copy_options(struct report *report, const struct report_request *request)
{
    struct report_options *options = &report->options;

    *options = (struct report_options){
        .with_attributes = request->with_attributes,
        .with_load = request->with_load,
        .memory_bytes = request->memory_bytes,
        .slowest_limit = request->slowest_limit,
        .name_limit = OPERATION_NAME_LIMIT,
        .redacted_keys =
            (char **)calloc(request->redacted_count + 1, sizeof(*options->redacted_keys)),
    };
    if (options->redacted_keys == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < request->redacted_count; i++) {
        options->redacted_keys[i] = strdup(request->redacted_keys[i]);
        if (options->redacted_keys[i] == NULL) {
            return -ENOMEM;
        }
        options->redacted_count++;
    }
    return 0;
}

/* --- Scan and plan --- */

static int scan_and_plan(struct report_job *job)
{
    const struct report_request *request = job->request;
    size_t count = request->inputs->count;
    AUTO_FREE struct scanned_file *files = calloc(count + 1, sizeof(*files));
    struct shared_names names = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .frame_limit = request->memory_bytes / FRAME_BYTES,
                                 .table.memory_limit_bytes =
                                     request->memory_bytes / NAME_SHARE_OF_MEMORY};
    const struct scan_request scan = {
        .count = count,
        .paths = request->inputs->paths,
        .bad = job->bad,
        .jobs = min_u64(request->jobs,
                        max_u64(request->memory_bytes / LEAST_PLAN_SHARE / SCANNER_BYTES, 1)),
    };
    const struct memory_wish wish = {request->memory_bytes, request->jobs, request->slowest_limit,
                                     request->with_attributes, request->with_load};

    if (files == NULL) {
        return -ENOMEM;
    }

    int r = scan_files(&scan, &names, files);

    if (r == 0) {
        return report_plan_make(&job->plan, files, count, &names.table, &wish);
    }
    for (size_t i = 0; i < count; i++) {
        scanned_file_release(&files[i]);
    }
    name_ranks_release(&names.table);
    return r;
}

/* --- Count --- */

static int count_frames(struct report_job *job, struct report_work *work)
{
    const struct report_request *request = job->request;
    const struct frame_context context = {
        .plan = &job->plan,
        .windows = &job->windows,
        .queues = &job->queues,
        .load = request->with_load ? &job->load : NULL,
        .with_attributes = request->with_attributes,
        .redacted = {request->redacted_count, request->redacted_keys},
    };
    int r = shared_windows_init(&job->windows, &job->plan);

    r = r < 0 ? r : shared_queues_init(&job->queues, &job->plan);
    if (r == 0 && request->with_load) {
        r = shared_load_init(&job->load, &job->plan);
    }
    r = r < 0 ? r : report_totals_init(&job->totals, &job->plan, request->slowest_limit);
    if (r < 0) {
        return r;
    }
    *work = (struct report_work){.plan = &job->plan,
                                 .context = &context,
                                 .totals = &job->totals,
                                 .tell_progress = request->tell_progress,
                                 .listener = request->listener};
    r = report_work_run(work);
    work->context = NULL;
    return r;
}

static void release_results(struct report_job *job)
{
    report_totals_release(&job->totals);
    shared_windows_release(&job->windows);
    load_effects_release(&job->effects);
    shared_load_release(&job->load);
    shared_queues_release(&job->queues);
    report_plan_release(&job->plan);
}

static int note_bad_frames(struct report_job *job, const struct report_work *work)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < work->bad_count; i++) {
        const struct bad_frame *frame = &work->bad_frames[i];
        size_t path = job->plan.inputs[frame->input].file.number;

        r = offset_list_add(&job->bad[path], frame->offset_bytes);
    }
    for (size_t i = 0; i < job->request->inputs->count; i++) {
        offset_list_sort(&job->bad[i]);
    }
    return r;
}

/* Returns 1 if frames turned out to be damaged: then it is to be tried again. */
static int try_once(struct report_job *job)
{
    struct report_work work = {0};
    int r = scan_and_plan(job);

    r = r < 0 ? r : count_frames(job, &work);
    if (r == 0 && work.bad_count > 0) {
        r = note_bad_frames(job, &work);
        r = r < 0 ? r : 1;
    }
    free(work.bad_frames);
    return r;
}

/* Each try finds at least one damaged frame more, so this ends. */
static int try_until_good(struct report_job *job)
{
    int r;

    while ((r = try_once(job)) == 1) {
        release_results(job);
    }
    return r;
}

static bool has_usable_input(const struct report_plan *plan)
{
    for (size_t i = 0; i < plan->input_count; i++) {
        if (plan->inputs[i].file.session_count > 0) {
            return true;
        }
    }
    return false;
}

int report_run(const struct report_request *request, struct report *ret_report)
{
    struct report_job job = {.request = request};
    int r = copy_options(ret_report, request);

    job.bad = calloc(request->inputs->count + 1, sizeof(*job.bad));
    r = job.bad == NULL ? -ENOMEM : r;
    r = r < 0 ? r : try_until_good(&job);
    if (r == 0 && request->with_load) {
        r = load_effects_find(&job.effects, &job.plan, &job.load);
    }
    if (r == 0) {
        report_totals_finish(&job.totals);
        shared_queues_finish(&job.queues);
        r = report_make(ret_report, &job.plan, &job.totals, &job.windows, &job.effects,
                        &job.queues);
    }
    if (r == 0 && request->with_attributes) {
        const struct redacted_keys redacted = {request->redacted_count, request->redacted_keys};

        r = attribute_effects_find(ret_report, &job.plan, &redacted);
    }
    if (r == 0 && !has_usable_input(&job.plan)) {
        r = -ENODATA;
    }
    release_results(&job);
    for (size_t i = 0; job.bad != NULL && i < request->inputs->count; i++) {
        free(job.bad[i].offsets);
    }
    free(job.bad);
    return r;
}
