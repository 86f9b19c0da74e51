#include "real_buckets.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    DROPPED_BITS = 52 - REAL_BUCKET_BITS,
    LAST_STEP = (2047 << REAL_BUCKET_BITS) - 1, /* of the greatest finite double */
};

#define SIGN_BIT (1ULL << 63)
#define BUCKET_ERROR (0.5 / REAL_BUCKETS)

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

uint32_t real_bucket_of(double value)
{
    uint64_t bits = bits_of(fabs(value));

    if (bits == 0) {
        return REAL_BUCKET_ZERO;
    }
    return value > 0 ? REAL_BUCKET_ZERO + 1 + (uint32_t)(bits >> DROPPED_BITS)
                     : REAL_BUCKET_ZERO - 1 - (uint32_t)((bits - 1) >> DROPPED_BITS);
}

/* The magnitudes of a bucket are between small and small + width. */
struct magnitudes {
    double small;
    double width;
};

/* steps: buckets from 0 to this one, in either direction. */
static struct magnitudes magnitudes_of(uint32_t steps)
{
    double small = from_bits((uint64_t)steps << DROPPED_BITS);

    /* The last one ends where doubles do; the one before it is as wide. */
    return (struct magnitudes){
        .small = small,
        .width = steps < LAST_STEP ? from_bits((uint64_t)(steps + 1) << DROPPED_BITS) - small
                                   : small - from_bits((uint64_t)(steps - 1) << DROPPED_BITS),
    };
}

double real_bucket_low(uint32_t bucket)
{
    if (bucket > REAL_BUCKET_ZERO) {
        /* The first one begins behind 0. */
        return fmax(magnitudes_of(bucket - REAL_BUCKET_ZERO - 1).small, DBL_TRUE_MIN);
    }
    if (bucket == REAL_BUCKET_ZERO) {
        return 0;
    }

    struct magnitudes magnitudes = magnitudes_of(REAL_BUCKET_ZERO - 1 - bucket);

    return -(magnitudes.small + magnitudes.width);
}

/* position: 0 to 1 in the bucket. */
static double magnitude_at(struct magnitudes magnitudes, double position)
{
    double least = magnitudes.small * (1 - BUCKET_ERROR) + magnitudes.width * (1 - BUCKET_ERROR);
    double most = magnitudes.small * (1 + BUCKET_ERROR);

    return fmin(fmax(magnitudes.small + magnitudes.width * position, least), most);
}

double real_bucket_value(uint32_t bucket, uint64_t place, uint64_t count)
{
    double position = ((double)place + 0.5) / (double)count;

    if (bucket == REAL_BUCKET_ZERO) {
        return 0;
    }
    return bucket > REAL_BUCKET_ZERO
               ? magnitude_at(magnitudes_of(bucket - REAL_BUCKET_ZERO - 1), position)
               : -magnitude_at(magnitudes_of(REAL_BUCKET_ZERO - 1 - bucket), 1 - position);
}

uint64_t real_to_key(double value)
{
    uint64_t bits = bits_of(value == 0 ? 0 : value);

    return (bits & SIGN_BIT) != 0 ? ~bits : bits | SIGN_BIT;
}

double real_from_key(uint64_t key)
{
    return from_bits((key & SIGN_BIT) != 0 ? key & ~SIGN_BIT : ~key);
}
