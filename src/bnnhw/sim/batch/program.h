// A program for the engines, as layout.py lays it out; every pointer stays with the caller.
#pragma once

#include <cstdint>

typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

struct Step { i32 kind, index, start, count; };  // kind 0: `count` gates of table `index`; 1: read port `index`

struct ReadPort { i32 memory, address, address_bits, data; };  // `address` points into `links`, `data` is a net

struct WritePort { i32 memory, address, address_bits, data, enable; };  // all but `memory` point into `links`

struct Memory { i32 width, depth, writable; i64 init; };  // `init`: first word of row 0 in `rows`

struct Program {
    i32 nets, first_gate, first_flip_flop, flip_flops, steps, memories, reads, writes;
    const i32 *gates, *next, *links;
    const uint8_t *reset;
    const Step *step;
    const Memory *memory;
    const ReadPort *read;
    const WritePort *write;
    const u64 *rows;
};
