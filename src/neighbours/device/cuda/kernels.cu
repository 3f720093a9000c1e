// Kernels of the neighbour search for NVIDIA GPUs; kernels.ptx is compiled from this file.
//
// The plan (plan.rs) drives them; host.rs is their twin in plain Rust. Rows lie by position, D
// values each as they are stored, and once more as bf16: centred, scaled and padded with zeros to
// PAD columns. Nothing is contracted (--fmad=false), so a verdict has the bits of the processor's.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;

// Rows and columns of a tile, bf16 values of a row that are multiplied before the next ones, and how
// many of such pieces are on their way or at work.
#define TILE 128
#define PAD 64
#define STAGES 3

// Threads of a block; each warp of `visit` multiplies 64 rows with 64 columns.
#define THREADS 128
#define NEVER __int_as_float(0x7fc00000)

struct Entry {
    float score;
    u32 position;
};

// How values are stored: 0 f64, 1 f32, 2 f16, 3 bf16.
struct Rows {
    const void* values;
    // Of each position, for the cosine metric only.
    const double* norms;
    u32 kind;
    u32 width;
};

__device__ __forceinline__ double stored(const Rows& rows, u64 at) {
    switch (rows.kind) {
        case 0: return ((const double*)rows.values)[at];
        case 1: return (double)((const float*)rows.values)[at];
        case 2: {
            float wide;
            u16 half = ((const u16*)rows.values)[at];
            asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(half));
            return (double)wide;
        }
        default: return (double)__uint_as_float((u32)((const u16*)rows.values)[at] << 16);
    }
}

// A value as the metric sees it.
__device__ __forceinline__ double value(const Rows& rows, u64 position, u32 column) {
    double x = stored(rows, position * rows.width + column);
    return rows.norms ? __ddiv_rn(x, rows.norms[position]) : x;
}

// D² in the order of exact.rs, by eight neighbouring threads; each gets the sum.
__device__ __forceinline__ double squared_distance(const Rows& rows, u64 p, u64 q, u32 lane) {
    double sum = 0.0;
#pragma unroll 4
    for (u32 j = lane; j < rows.width; j += 8) {
        double t = value(rows, p, j) - value(rows, q, j);
        sum += t * t;
    }
    // ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)); a sum of two has no order.
    sum += __shfl_xor_sync(0xffffffffu, sum, 1);
    sum += __shfl_xor_sync(0xffffffffu, sum, 2);
    sum += __shfl_xor_sync(0xffffffffu, sum, 4);
    return sum;
}

// --- The frame -----------------------------------------------------------------------------

// Adds share · Σ_i x_ij over some rows to each column's mean.
extern "C" __global__ void column_means(Rows rows, u64 first, u64 end, double share,
                                        double* means) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= rows.width) return;
    double sum = 0.0;
    for (u64 p = first + blockIdx.y; p < end; p += gridDim.y) sum += value(rows, p, column) * share;
    atomicAdd(&means[column], sum);
}

// The largest |x − c|, as the bits of an f64, which are ordered as it is.
extern "C" __global__ void largest_deviation(Rows rows, u64 first, u64 end, const double* means,
                                             u64* largest) {
    double most = 0.0;
    for (u64 p = first + blockIdx.x; p < end; p += gridDim.x)
        for (u32 j = threadIdx.x; j < rows.width; j += blockDim.x)
            most = fmax(most, fabs(value(rows, p, j) - means[j]));
    for (int apart = 16; apart > 0; apart /= 2)
        most = fmax(most, __shfl_xor_sync(0xffffffffu, most, apart));
    if (threadIdx.x % 32 == 0) atomicMax(largest, (u64)__double_as_longlong(most));
}

// Rounds each row to bf16; measured[p] = {‖û‖², ‖w − û‖²}. A warp a row.
extern "C" __global__ void round_rows(Rows rows, u64 first, u64 end, const double* means,
                                      double scale, u32 padded, u16* packed, double* measured) {
    u64 p = first + blockIdx.x * (u64)(blockDim.x / 32) + threadIdx.x / 32;
    if (p >= end) return;
    double norm = 0.0, rest = 0.0;
    for (u32 j = threadIdx.x % 32; j < padded; j += 32) {
        double w = j < rows.width ? (value(rows, p, j) - means[j]) * scale : 0.0;
        u32 bits = __float_as_uint((float)w);
        // To the nearest, halfway cases to the even neighbour; 0 for what would be subnormal.
        u32 rounded = bits + 0x7fff + ((bits >> 16) & 1);
        u32 half = (rounded & 0x7f800000) == 0 ? 0 : rounded >> 16;
        packed[p * padded + j] = (u16)half;
        double wide = (double)__uint_as_float(half << 16);
        norm += wide * wide;
        rest += (w - wide) * (w - wide);
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        norm += __shfl_xor_sync(0xffffffffu, norm, apart);
        rest += __shfl_xor_sync(0xffffffffu, rest, apart);
    }
    if (threadIdx.x % 32 == 0) {
        measured[2 * p] = norm;
        measured[2 * p + 1] = rest;
    }
}

// --- Products ------------------------------------------------------------------------------

__device__ __forceinline__ u32 shared_address(const void* place) {
    return (u32)__cvta_generic_to_shared(place);
}

__device__ __forceinline__ void copy_ahead(u32 to, const void* from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from));
}

__device__ __forceinline__ void load_matrices(u32 (&out)[4], u32 from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(from));
}

__device__ __forceinline__ void multiply(float (&sum)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Starts to copy PAD values of the rows of a tile; chunks of 16 bytes are swizzled, so that neither the copy
// nor ldmatrix meets a bank twice.
__device__ __forceinline__ void fetch(u32 to, const u16* packed, u64 first, u64 padded, u32 k) {
#pragma unroll
    for (int turn = 0; turn < TILE * PAD / 8 / THREADS; turn++) {
        u32 chunk = turn * THREADS + threadIdx.x;
        u32 row = chunk / 8, part = chunk % 8;
        copy_ahead(to + row * 128 + ((part ^ (row & 7)) << 4),
                   packed + (first + row) * padded + k * PAD + part * 8);
    }
}

// Which pieces of a row and of a column a step multiplies. Rows in two parts, w = high + low, take
// high·high + high·low + low·high.
template <bool SPLIT>
__device__ __forceinline__ u32 row_piece(u32 step, u32 pieces) {
    return !SPLIT || step < pieces ? step : step - pieces;
}

template <bool SPLIT>
__device__ __forceinline__ u32 column_piece(u32 step, u32 pieces) {
    return !SPLIT || step < 2 * pieces ? step : step - 2 * pieces;
}

// The products of a tile of rows with one of columns; each thread has some, of rows from `top` and
// columns from `left` on. All may use `room` again when it returns.
template <bool SPLIT>
__device__ __forceinline__ void products_of_tiles(unsigned char* room, const u16* packed, u64 rows,
                                                  u64 columns, u32 padded, float (&sums)[4][8][4],
                                                  u32& top, u32& left) {
    u32 t = threadIdx.x, base = shared_address(room);
    const u32 side = TILE * PAD * 2, stage = 2 * side;
    u32 pieces = padded / PAD, steps = SPLIT ? 3 * pieces : pieces;
    u64 stride = SPLIT ? 2 * padded : padded;
#pragma unroll
    for (u32 k = 0; k < STAGES - 1; k++) {
        if (k < steps) {
            fetch(base + k * stage, packed, rows, stride, row_piece<SPLIT>(k, pieces));
            fetch(base + k * stage + side, packed, columns, stride, column_piece<SPLIT>(k, pieces));
        }
        asm volatile("cp.async.commit_group;");
    }

    u32 lane = t % 32, warp = t / 32;
    top = warp / 2 * 64;
    left = warp % 2 * 64;
    u32 turn = lane & 7;
    u32 a_row = (top + (lane & 15)) * 128, a_part = lane >> 4;
    u32 b_row = (left + (lane & 7) + (lane >> 4) * 8) * 128, b_part = (lane >> 3) & 1;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int c = 0; c < 4; c++) sums[i][j][c] = 0.0f;

    for (u32 k = 0; k < steps; k++) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2));
        __syncthreads();
        u32 ahead = k + STAGES - 1;
        if (ahead < steps) {
            u32 to = base + ahead % STAGES * stage;
            fetch(to, packed, rows, stride, row_piece<SPLIT>(ahead, pieces));
            fetch(to + side, packed, columns, stride, column_piece<SPLIT>(ahead, pieces));
        }
        asm volatile("cp.async.commit_group;");
        u32 left_side = base + k % STAGES * stage, right_side = left_side + side;
#pragma unroll
        for (u32 part = 0; part < PAD / 16; part++) {
            u32 x[4][4], y[4][4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                load_matrices(x[i], left_side + a_row + i * 16 * 128 +
                                        (((part * 2 + a_part) ^ turn) << 4));
#pragma unroll
            for (int j = 0; j < 4; j++)
                load_matrices(y[j], right_side + b_row + j * 16 * 128 +
                                        (((part * 2 + b_part) ^ turn) << 4));
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 8; j++)
                    multiply(sums[i][j], x[i], y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]);
        }
    }
    asm volatile("cp.async.wait_group 0;");
    __syncthreads();
}

// What the search knows of each position.
struct Lists {
    const double* squares;
    const float* terms;
    const float* cuts;
    u32* counts;
    Entry* entries;
    u32 capacity;
    // Set to the length that a list would have had, if that is beyond the capacity.
    u32* overflow;
};

__device__ __forceinline__ void append(const Lists& lists, u64 p, u64 q, float product) {
    u32 at = atomicAdd(&lists.counts[p], 1);
    if (at < lists.capacity) {
        double score = lists.squares[p] + lists.squares[q] - 2.0 * (double)product;
        lists.entries[p * lists.capacity + at] = {(float)score, (u32)q};
    } else {
        atomicMax(lists.overflow, at + 1);
    }
}

// Which pairs of tiles a launch visits.
struct Visit {
    // Positions before this are rows that may be found.
    u64 targets;
    // Those that seek: positions from..to.
    u64 from;
    u64 to;
    // Tiles of targets, and of those that seek.
    u32 tiles;
    u32 seeking;
    // Diagonals of this launch.
    u32 first;
    u32 count;
    // Whether targets are those that seek, so that each pair serves both rows.
    u32 symmetric;
};

// Tiles that run at the same time share rows and columns, which then come from the cache.
#define BAND 16

// Multiplies pairs of tiles; pairs that pass the cut of one of their rows go to its list.
extern "C" __global__ void __launch_bounds__(THREADS, 2)
    visit(const u16* packed, u32 padded, Visit plan, Lists lists) {
    extern __shared__ __align__(128) unsigned char room[];
    __shared__ float row_terms[TILE], row_cuts[TILE];
    __shared__ __align__(8) float column_terms[TILE], column_cuts[TILE];
    __shared__ u32 passing;

    u32 id = blockIdx.x;
    u32 band = id / (plan.seeking * BAND);
    u32 wide = min((u32)BAND, plan.count - band * BAND);
    u32 rest = id - band * plan.seeking * BAND;
    u32 group = rest / (BAND * wide);
    u32 high = min((u32)BAND, plan.seeking - group * BAND);
    rest -= group * BAND * wide;
    u32 a = group * BAND + rest % high;
    u32 diagonal = plan.first + band * BAND + rest / high;
    u32 b = plan.symmetric ? (a + diagonal) % plan.tiles : diagonal;
    // Half-way round each pair of tiles would be met from both sides.
    if (plan.symmetric && 2 * diagonal == plan.tiles && a >= diagonal) return;
    bool both = plan.symmetric && a != b;
    u64 rows = plan.from + (u64)a * TILE, columns = (u64)b * TILE;

    u32 t = threadIdx.x;
    bool seeks = rows + t < plan.to, found = columns + t < plan.targets;
    row_terms[t] = seeks ? lists.terms[rows + t] : NEVER;
    row_cuts[t] = seeks ? lists.cuts[rows + t] : NEVER;
    column_terms[t] = found ? lists.terms[columns + t] : NEVER;
    column_cuts[t] = both && found ? lists.cuts[columns + t] : NEVER;
    if (t == 0) passing = 0;

    float sums[4][8][4];
    u32 top, left;
    products_of_tiles<false>(room, packed, rows, columns, padded, sums, top, left);

    // The pairs that pass, products first, then their places; room for all pairs of the tile.
    float* products = (float*)room;
    u16* places = (u16*)(room + TILE * TILE * 4);
    u32 lane = t % 32, r0 = top + lane / 4, c0 = left + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int g = 0; g < 2; g++) {
            u32 r = r0 + i * 16 + g * 8;
            float term = row_terms[r], cut = row_cuts[r];
            // Most rows of most tiles have no pair that passes: one branch for sixteen.
            u32 votes = 0;
#pragma unroll
            for (int j = 0; j < 8; j++) {
                float2 terms = *(const float2*)&column_terms[c0 + j * 8];
                float2 cuts = *(const float2*)&column_cuts[c0 + j * 8];
                float first = sums[i][j][g * 2], second = sums[i][j][g * 2 + 1];
                if (first - terms.x >= cut || first - term >= cuts.x) votes |= 1u << 2 * j;
                if (second - terms.y >= cut || second - term >= cuts.y) votes |= 2u << 2 * j;
            }
            if (votes == 0) continue;
            u32 at = atomicAdd(&passing, __popc(votes));
#pragma unroll
            for (int j = 0; j < 16; j++)
                if (votes >> j & 1) {
                    products[at] = sums[i][j / 2][g * 2 + j % 2];
                    places[at++] = (u16)(r * TILE + c0 + j / 2 * 8 + j % 2);
                }
        }
    __syncthreads();
    for (u32 at = t; at < passing; at += THREADS) {
        float product = products[at];
        u32 r = places[at] / TILE, c = places[at] % TILE;
        u64 p = rows + r, q = columns + c;
        // Self is left out by position, never by its distance.
        if (p == q) continue;
        if (product - column_terms[c] >= row_cuts[r]) append(lists, p, q, product);
        if (product - row_terms[r] >= column_cuts[c]) append(lists, q, p, product);
    }
}

// --- Lists ---------------------------------------------------------------------------------

// The bound, as in bound.rs.
struct Bound {
    const double* squares;
    const double* errors;
    double relative;
};

// What D² is certainly not farther from a score than.
__device__ __forceinline__ double doubt(const Bound& bound, u64 p, u64 q, double score) {
    return bound.relative * fmax(score, 0.0) + bound.errors[p] + bound.errors[q];
}

__device__ __forceinline__ float cut_of(const Bound& bound, u64 p, double threshold) {
    double error = bound.errors[p];
    if (isinf(threshold) || !isfinite(error)) return -__int_as_float(0x7f800000);
    double square = bound.squares[p];
    double exact = 0.5 * (square - (threshold + error) / (1.0 - bound.relative));
    return __double2float_rd(exact - 2.0 * (1.0 / 16777216.0) * (square + fabs(threshold)));
}

// The sum over a block of what each of its threads counted.
__device__ __forceinline__ u32 block_sum(u32 mine) {
    __shared__ u32 parts[THREADS / 32];
    for (int apart = 16; apart > 0; apart /= 2) mine += __shfl_xor_sync(0xffffffffu, mine, apart);
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = mine;
    __syncthreads();
    u32 sum = 0;
    for (int w = 0; w < THREADS / 32; w++) sum += parts[w];
    return sum;
}

// Keeps the entries of a list that `keep(at)` wants, in order; returns how many.
template <class Keep>
__device__ __forceinline__ u32 compact(Entry* list, u32 count, Keep keep) {
    __shared__ u32 before[THREADS / 32 + 1];
    u32 kept = 0;
    for (u32 start = 0; start < count; start += THREADS) {
        u32 at = start + threadIdx.x;
        Entry entry;
        bool wanted = false;
        if (at < count) {
            entry = list[at];
            wanted = keep(at);
        }
        u32 votes = __ballot_sync(0xffffffffu, wanted);
        if (threadIdx.x % 32 == 0) before[threadIdx.x / 32] = __popc(votes);
        __syncthreads();
        u32 place = kept, all = 0;
        for (u32 w = 0; w < THREADS / 32; w++) {
            if (w < threadIdx.x / 32) place += before[w];
            all += before[w];
        }
        place += __popc(votes & ((1u << threadIdx.x % 32) - 1));
        // What is written over was read by all before the barrier.
        if (wanted) list[place] = entry;
        kept += all;
        __syncthreads();
    }
    return kept;
}

// What the pruning of all lists came to.
struct Pruned {
    u32* longest;
    // Positions whose lists stay nearly full.
    u32* crowded;
    u32* crowds;
};

// Drops what is certainly beyond the k nearest of each list. A block a position.
extern "C" __global__ void prune(Bound bound, u64 from, u32 k, u32 full, u32 capacity,
                                 Entry* entries, u32* counts, double* thresholds, float* cuts,
                                 Pruned found) {
    extern __shared__ u32 uppers[];
    u64 p = from + blockIdx.x;
    u32 count = min(counts[p], capacity);
    Entry* list = entries + p * capacity;
    if (count > k) {
        for (u32 at = threadIdx.x; at < count; at += THREADS) {
            double score = (double)list[at].score;
            double upper = score + doubt(bound, p, list[at].position, score);
            // Never below 0, so its bits are ordered as it is.
            uppers[at] = __float_as_uint(fmaxf(__double2float_ru(upper), 0.0f));
        }
        __syncthreads();
        // The least value that k upper bounds do not exceed.
        u32 low = 0, high = 0x7f800000;
        while (low < high) {
            u32 middle = low + (high - low) / 2, mine = 0;
            for (u32 at = threadIdx.x; at < count; at += THREADS) mine += uppers[at] <= middle;
            if (block_sum(mine) >= k) high = middle; else low = middle + 1;
        }
        double threshold = fmin(thresholds[p], (double)__uint_as_float(high));
        u32 kept = compact(list, count, [&](u32 at) {
            double score = (double)list[at].score;
            return score - doubt(bound, p, list[at].position, score) <= threshold;
        });
        count = kept;
        if (threadIdx.x == 0) {
            thresholds[p] = threshold;
            cuts[p] = cut_of(bound, p, threshold);
            counts[p] = count;
            if (count > full) found.crowded[atomicAdd(found.crowds, 1)] = (u32)p;
        }
    }
    // Judging will leave k of a crowded list.
    if (threadIdx.x == 0) atomicMax(found.longest, count > full ? k : count);
}

// Keeps the k nearest of the lists that scores cannot shorten, by verdict. A block a position.
extern "C" __global__ void judge(Rows rows, Bound bound, const u32* order, const u32* crowded,
                                 double scale, u32 k, u32 capacity, Entry* entries, u32* counts,
                                 double* thresholds, float* cuts) {
    extern __shared__ u64 squared[];
    u32* numbers = (u32*)(squared + capacity);
    u64 p = crowded[blockIdx.x];
    u32 count = counts[p];
    Entry* list = entries + p * capacity;
    u32 lane = threadIdx.x % 8, group = threadIdx.x / 8;
    for (u32 start = 0; start < count; start += THREADS / 8) {
        u32 at = min(start + group, count - 1);
        u64 q = list[at].position;
        double sum = squared_distance(rows, p, q, lane);
        if (lane == 0) {
            squared[at] = (u64)__double_as_longlong(sum);
            numbers[at] = order[q];
        }
    }
    __syncthreads();
    u64 low = 0, high = 0x7ff0000000000000ull;
    while (low < high) {
        u64 middle = low + (high - low) / 2;
        u32 mine = 0;
        for (u32 at = threadIdx.x; at < count; at += THREADS) mine += squared[at] <= middle;
        if (block_sum(mine) >= k) high = middle; else low = middle + 1;
    }
    u32 nearer = 0;
    for (u32 at = threadIdx.x; at < count; at += THREADS) nearer += squared[at] < high;
    u32 ties = k - block_sum(nearer);
    // Of equally far rows the lower ones come first.
    u32 first = 0, last = 0xffffffffu;
    while (first < last) {
        u32 middle = first + (last - first) / 2, mine = 0;
        for (u32 at = threadIdx.x; at < count; at += THREADS)
            mine += squared[at] == high && numbers[at] <= middle;
        if (block_sum(mine) >= ties) last = middle; else first = middle + 1;
    }
    u32 kept = compact(list, count, [&](u32 at) {
        return squared[at] < high || (squared[at] == high && numbers[at] <= last);
    });
    if (threadIdx.x == 0) {
        double threshold = fmin(thresholds[p], __longlong_as_double((long long)high) * scale * scale);
        thresholds[p] = threshold;
        cuts[p] = cut_of(bound, p, threshold);
        counts[p] = kept;
    }
}

// --- Verdicts ------------------------------------------------------------------------------

// D² and row of every entry of some lists, packed one list after the other. A block a position.
extern "C" __global__ void verdicts(Rows rows, const u32* order, u64 from, u32 capacity,
                                    const Entry* entries, const u64* offsets, double* squared,
                                    u32* numbers) {
    u64 p = from + blockIdx.x;
    u64 start = offsets[blockIdx.x];
    u32 count = (u32)(offsets[blockIdx.x + 1] - start);
    u32 lane = threadIdx.x % 8, group = threadIdx.x / 8;
    for (u32 done = 0; done < count; done += THREADS / 8) {
        u32 at = min(done + group, count - 1);
        u64 q = entries[p * capacity + at].position;
        double sum = squared_distance(rows, p, q, lane);
        if (lane == 0) {
            squared[start + at] = sum;
            numbers[start + at] = order[q];
        }
    }
}

// D² from a few positions to all targets: out[s · targets + q].
extern "C" __global__ void scan(Rows rows, const u32* samples, u32 count, u64 targets,
                                double* squared) {
    u32 lane = threadIdx.x % 8, group = threadIdx.x / 8;
    for (u64 q = blockIdx.x; q < targets; q += gridDim.x)
        for (u32 start = 0; start < count; start += THREADS / 8) {
            u32 s = min(start + group, count - 1);
            double sum = squared_distance(rows, samples[s], q, lane);
            if (lane == 0) squared[s * targets + q] = sum;
        }
}

// --- Ranks ---------------------------------------------------------------------------------

// The bf16 nearest to w, halfway cases to the even neighbour; 0 for what would be subnormal.
__device__ __forceinline__ u32 nearest_half(double w) {
    u32 bits = __float_as_uint((float)w);
    u32 rounded = bits + 0x7fff + ((bits >> 16) & 1);
    return (rounded & 0x7f800000) == 0 ? 0 : rounded >> 16;
}

// Splits each row into two parts in bf16 and a rest, w = high + low + rest, as bf16.rs does;
// measured[p] = {‖high + low‖², ‖rest‖², ‖low‖²}. A warp a row.
extern "C" __global__ void split_rows(Rows rows, u64 first, u64 end, const double* means,
                                      double scale, u32 padded, u16* packed, double* measured) {
    u64 p = first + blockIdx.x * (u64)(blockDim.x / 32) + threadIdx.x / 32;
    if (p >= end) return;
    double norm = 0.0, rest = 0.0, lesser = 0.0;
    for (u32 j = threadIdx.x % 32; j < padded; j += 32) {
        double w = j < rows.width ? (value(rows, p, j) - means[j]) * scale : 0.0;
        u32 high = nearest_half(w);
        double left = w - (double)__uint_as_float(high << 16);
        u32 low = nearest_half(left);
        double small = (double)__uint_as_float(low << 16);
        left -= small;
        packed[p * 2 * padded + j] = (u16)high;
        packed[p * 2 * padded + padded + j] = (u16)low;
        double kept = w - left;
        norm += kept * kept;
        rest += left * left;
        lesser += small * small;
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        norm += __shfl_xor_sync(0xffffffffu, norm, apart);
        rest += __shfl_xor_sync(0xffffffffu, rest, apart);
        lesser += __shfl_xor_sync(0xffffffffu, lesser, apart);
    }
    if (threadIdx.x % 32 == 0) {
        measured[3 * p] = norm;
        measured[3 * p + 1] = rest;
        measured[3 * p + 2] = lesser;
    }
}

// What is counted. Rows that seek are numbered from the first of them.
struct Ranks {
    // Of each row that may be found, and of `wanted` thresholds of each row that seeks, which
    // ascend, so that both cuts fall.
    const float* terms;
    const float* sure_terms;
    const float* cuts;
    const float* sure;
    // Of each threshold `groups` numbers: how many of each group are not before it.
    const u32* beyond;
    u32* before;
    u64* nearer;
    // Pairs that the bound cannot place, positions of both rows, and how many there are.
    u64* kept;
    u64* count;
    u64 room;
    u32 wanted;
    u32 groups;
};

// Counts the row at `q` before the threshold at `place` of row `s`.
__device__ __forceinline__ void stands_before(const Ranks& ranks, u64 s, u64 q, u32 place) {
    if (place >= ranks.wanted) return;
    u64 at = s * ranks.wanted + place;
    atomicAdd(&ranks.before[at], 1);
    for (u32 g = 0; g < ranks.groups; g++) {
        u32 beyond = ranks.beyond[at * ranks.groups + g];
        if (beyond) atomicAdd(&ranks.nearer[q * ranks.groups + g], (u64)beyond);
    }
}

// Which pairs of tiles a launch places: all that seek with some of those that may be found.
struct Placing {
    u64 targets;
    u64 from;
    u64 to;
    u32 seeking;
    u32 first;
    // Whether pairs that the bound places were counted before.
    u32 counted;
};

// Multiplies pairs of tiles and places each pair between two thresholds of the row that seeks.
extern "C" __global__ void __launch_bounds__(THREADS, 2)
    place(const u16* packed, u32 padded, Placing plan, Ranks ranks) {
    extern __shared__ __align__(128) unsigned char room[];
    u64 rows = plan.from + (u64)(blockIdx.x % plan.seeking) * TILE;
    u64 columns = (u64)(plan.first + blockIdx.x / plan.seeking) * TILE;
    float sums[4][8][4];
    u32 top, left;
    products_of_tiles<true>(room, packed, rows, columns, padded, sums, top, left);

    float* products = (float*)room;
    u32 lane = threadIdx.x % 32, r0 = top + lane / 4, c0 = left + lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 8; j++)
#pragma unroll
            for (int c = 0; c < 4; c++)
                products[(r0 + i * 16 + c / 2 * 8) * TILE + c0 + j * 8 + c % 2] = sums[i][j][c];
    __syncthreads();
    for (u32 at = threadIdx.x; at < TILE * TILE; at += THREADS) {
        u64 p = rows + at / TILE, q = columns + at % TILE;
        // Self is left out by position, never by its distance.
        if (p >= plan.to || q >= plan.targets || p == q) continue;
        u64 list = (p - plan.from) * ranks.wanted;
        float key = products[at] - ranks.terms[q], sure_key = products[at] - ranks.sure_terms[q];
        // Thresholds before `low` are certainly nearer than the pair, those from `high` on
        // certainly farther.
        u32 low = 0, end = ranks.wanted;
        while (low < end) {
            u32 middle = low + (end - low) / 2;
            if (key < ranks.cuts[list + middle]) low = middle + 1; else end = middle;
        }
        if (low == ranks.wanted) continue;
        u32 high = 0;
        end = ranks.wanted;
        while (high < end) {
            u32 middle = high + (end - high) / 2;
            if (sure_key <= ranks.sure[list + middle]) high = middle + 1; else end = middle;
        }
        if (low < high) {
            u64 to = atomicAdd(ranks.count, (u64)1);
            if (to < ranks.room) ranks.kept[to] = p << 32 | q;
        } else if (!plan.counted) {
            stands_before(ranks, p - plan.from, q, low);
        }
    }
}

// Places the pairs that are kept by their exact distances, equal ones by row. Eight threads a pair.
extern "C" __global__ void decide(Rows rows, const u32* order, u64 from, u64 count,
                                  const double* squared, const u32* numbers, Ranks ranks) {
    u32 lane = threadIdx.x % 8, group = threadIdx.x / 8;
    u64 step = (u64)gridDim.x * (THREADS / 8);
    for (u64 start = (u64)blockIdx.x * (THREADS / 8); start < count; start += step) {
        u64 at = min(start + group, count - 1);
        u64 pair = ranks.kept[at], p = pair >> 32, q = pair & 0xffffffffu;
        double sum = squared_distance(rows, p, q, lane);
        if (lane != 0 || start + group >= count) continue;
        u64 list = (p - from) * ranks.wanted;
        u32 name = order[q], low = 0, high = ranks.wanted;
        while (low < high) {
            u32 middle = low + (high - low) / 2;
            double threshold = squared[list + middle];
            bool before = threshold < sum || (threshold == sum && numbers[list + middle] <= name);
            if (before) low = middle + 1; else high = middle;
        }
        stands_before(ranks, p - from, q, low);
    }
}
