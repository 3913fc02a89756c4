// Functions of three nets, each net a vector of one bit for each lane.
//
// The gate with table T is bit a + 2 b + 4 c of T. One loop is compiled for each table, so that a run of equal gates has
// no dispatch.
#pragma once

#include <utility>

#include "program.h"

template <int T, class V> inline V lut2(V a, V b) {
    switch (T) {
    case 0: return a ^ a;
    case 1: return ~(a | b);
    case 2: return a & ~b;
    case 3: return ~b;
    case 4: return ~a & b;
    case 5: return ~a;
    case 6: return a ^ b;
    case 7: return ~(a & b);
    case 8: return a & b;
    case 9: return ~(a ^ b);
    case 10: return a;
    case 11: return a | ~b;
    case 12: return b;
    case 13: return ~a | b;
    case 14: return a | b;
    default: return ~(a ^ a);
    }
}

template <int T, class V> inline V lut3(V a, V b, V c) {
    constexpr int low = T & 15, high = T >> 4;
    if constexpr (low == high) return lut2<low>(a, b);
    else if constexpr (low == (high ^ 15)) return lut2<low>(a, b) ^ c;
    else if constexpr (low == 0) return lut2<high>(a, b) & c;
    else if constexpr (high == 0) return lut2<low>(a, b) & ~c;
    else if constexpr (low == 15) return lut2<high>(a, b) | ~c;
    else if constexpr (high == 15) return lut2<low>(a, b) | c;
    else return (lut2<high>(a, b) & c) | (lut2<low>(a, b) & ~c);
}

template <int T, class V> void run_gates(V *net, const i32 *input, V *output, i32 count) {
    for (i32 n = 0; n < count; n++, input += 3) output[n] = lut3<T>(net[input[0]], net[input[1]], net[input[2]]);
}

template <class V> using Kernel = void (*)(V *, const i32 *, V *, i32);

template <class V, size_t... T> const Kernel<V> *kernels(std::index_sequence<T...>) {
    static const Kernel<V> table[] = {run_gates<int(T), V>...};
    return table;
}
