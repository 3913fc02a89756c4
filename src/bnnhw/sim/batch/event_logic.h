// Synchronous logic with one clock, simulated by events instead of in lanes.
//
// Only what can have changed is evaluated: every gate and memory port has its place in an order of evaluation, a set of
// places holds those of which an input has changed, and a cycle takes them out from the lowest to the highest.
//
// When nothing is left to evaluate, nothing will change until an input does: simulated time stands still, and an idle
// design costs no time. A design that never rests, as it refreshes a memory, says by a net of its own when it is busy.

#pragma once

#include <cstring>
#include <vector>

#include "program.h"

namespace {

// A set of small integers; insertion in constant time, removal in increasing order.
class Agenda {
    std::vector<u64> low, high;

public:
    explicit Agenda(size_t size) : low(size / 64 + 1), high(size / 4096 + 1) {}
    void add(size_t n) {
        low[n / 64] |= 1ull << (n % 64);
        high[n / 4096] |= 1ull << (n / 64 % 64);
    }
    // Removes the members in increasing order and gives each to `visit`, which may add greater ones.
    template <class F> void drain(F visit) {
        for (size_t h = 0; h < high.size(); h++)
            while (high[h]) {
                size_t l = 64 * h + __builtin_ctzll(high[h]);
                while (low[l]) {
                    u64 lowest = low[l] & -low[l];
                    low[l] ^= lowest;
                    visit(64 * l + __builtin_ctzll(lowest));
                }
                high[h] &= high[h] - 1;
            }
    }
    bool empty() const {
        for (u64 word : high)
            if (word) return false;
        return true;
    }
};

class Logic {
    struct Node { i32 in[3], out, table; };  // a gate; or read port `in[0]` where `table` is READ
    static constexpr i32 READ = -1;

    const Program p;
    std::vector<uint8_t> net;
    std::vector<Node> nodes;
    std::vector<i32> first_reader, readers;  // of each net: nodes, and past them flip-flops and memories to be written
    std::vector<std::vector<i32>> read_nodes, write_ports;  // of each memory
    std::vector<std::vector<u64>> ram;
    Agenda settling, clocking;
    std::vector<i32> toggled;

    void set(i32 n, uint8_t value) {
        if (net[n] == value) return;
        net[n] = value;
        for (i32 k = first_reader[n]; k < first_reader[n + 1]; k++) wake(readers[k]);
    }
    void wake(i32 reader) {
        i32 count = nodes.size();
        if (reader < count) settling.add(reader);
        else clocking.add(reader - count);
    }
    template <class F> void each_input(i32 reader, F visit) const {
        i32 count = nodes.size();
        if (reader < count && nodes[reader].table != READ) {
            for (i32 n : nodes[reader].in) visit(n);
        } else if (reader < count) {
            const ReadPort &port = p.read[nodes[reader].in[0]];
            for (i32 b = 0; b < port.address_bits; b++) visit(p.links[port.address + b]);
        } else if (reader < count + p.flip_flops) {
            visit(p.next[reader - count]);
        } else {
            for (i32 w : write_ports[reader - count - p.flip_flops]) {
                const WritePort &port = p.write[w];
                for (i32 b = 0; b < port.address_bits; b++) visit(p.links[port.address + b]);
                for (i32 b = 0; b < p.memory[port.memory].width; b++) {
                    visit(p.links[port.data + b]);
                    visit(p.links[port.enable + b]);
                }
            }
        }
    }
    void find_readers() {
        i32 count = nodes.size() + p.flip_flops + p.memories;
        first_reader.assign(p.nets + 2, 0);
        for (i32 r = 0; r < count; r++) each_input(r, [&](i32 n) { first_reader[n + 2]++; });
        for (i32 n = 1; n < p.nets + 2; n++) first_reader[n] += first_reader[n - 1];
        readers.resize(first_reader.back());
        for (i32 r = 0; r < count; r++) each_input(r, [&](i32 n) { readers[first_reader[n + 1]++] = r; });
    }

    i32 words(i32 memory) const { return (p.memory[memory].width + 63) / 64; }
    u64 address(i32 link, i32 count) const {
        u64 value = 0;
        for (i32 b = 0; b < count; b++) value |= u64(net[p.links[link + b]]) << b;
        return value;
    }
    void read(const ReadPort &port) {
        const Memory &m = p.memory[port.memory];
        u64 row = address(port.address, port.address_bits);
        bool within = row < u64(m.depth);
        const u64 *data = ram[port.memory].data() + (within ? row * words(port.memory) : 0);
        for (i32 b = 0; b < m.width; b++) set(port.data + b, within && (data[b / 64] >> (b % 64) & 1));
    }
    // Whether a bit of the memory changed.
    bool write(const WritePort &port) {
        const Memory &m = p.memory[port.memory];
        u64 row = address(port.address, port.address_bits);
        if (row >= u64(m.depth)) return false;
        u64 *data = ram[port.memory].data() + row * words(port.memory);
        bool changed = false;
        for (i32 b = 0; b < m.width; b++) {
            u64 bit = u64(net[p.links[port.data + b]]) << (b % 64);
            if (!net[p.links[port.enable + b]] || (data[b / 64] & 1ull << (b % 64)) == bit) continue;
            data[b / 64] ^= 1ull << (b % 64);
            changed = true;
        }
        return changed;
    }
    // All ports in their order, also those whose inputs are as before: of two that write a row the last one wins.
    void write_memory(i32 memory) {
        bool changed = false;
        for (i32 w : write_ports[memory]) changed |= write(p.write[w]);
        if (!changed) return;
        for (i32 place : read_nodes[memory]) settling.add(place);
    }

    static size_t places(const Program &p) {
        size_t count = 0;
        for (i32 s = 0; s < p.steps; s++) count += p.step[s].kind ? 1 : p.step[s].count;
        return count;
    }

public:
    i64 events = 0;

    explicit Logic(const Program &program)
        : p(program), net(p.nets), read_nodes(p.memories), write_ports(p.memories), ram(p.memories),
          settling(places(p)), clocking(p.flip_flops + p.memories) {
        for (i32 s = 0; s < p.steps; s++) {
            const Step &step = p.step[s];
            if (step.kind) {
                read_nodes[p.read[step.index].memory].push_back(nodes.size());
                nodes.push_back({{step.index, 0, 0}, 0, READ});
                continue;
            }
            for (i32 g = step.start; g < step.start + step.count; g++) {
                const i32 *in = p.gates + 3 * g;
                nodes.push_back({{in[0], in[1], in[2]}, p.first_gate + g, step.index});
            }
        }
        for (i32 n = 0; n < p.memories; n++) {
            const u64 *rows = p.rows + p.memory[n].init;
            ram[n].assign(rows, rows + size_t(p.memory[n].depth) * words(n));
        }
        for (i32 w = 0; w < p.writes; w++) write_ports[p.write[w].memory].push_back(w);
        find_readers();
        net[1] = 1;
        for (i32 n = 0; n < p.flip_flops; n++) net[p.first_flip_flop + n] = p.reset[n];
        for (i32 r = 0; r < i32(nodes.size()) + p.flip_flops + p.memories; r++) wake(r);
    }
    void drive(i32 n, bool value) { set(n, value); }
    bool sample(i32 n) const { return net[n]; }
    void settle() {
        settling.drain([&](size_t place) {
            const Node &node = nodes[place];
            events++;
            if (node.table == READ) read(p.read[node.in[0]]);
            else set(node.out, node.table >> (net[node.in[0]] | net[node.in[1]] << 1 | net[node.in[2]] << 2) & 1);
        });
    }
    // Whether a clock edge would change nothing.
    bool quiet() const { return clocking.empty(); }
    void clock() {
        clocking.drain([&](size_t place) {
            i32 n = place;
            events++;
            if (n >= p.flip_flops) write_memory(n - p.flip_flops);
            else if (net[p.first_flip_flop + n] != net[p.next[n]]) toggled.push_back(p.first_flip_flop + n);
        });
        for (i32 n : toggled) set(n, !net[n]);
        toggled.clear();
    }
};

// Whether a design has nothing to do: nothing moves in it, or it has not been busy for long.
class Rest {
    static constexpr i64 CALM = 10000;  // cycles without work, until time stands still
    const i32 busy;  // a net, or -1
    i64 calm_since = 0;

public:
    explicit Rest(i32 busy) : busy(busy) {}
    // Of a settled design; `active`: whether its pins are.
    bool operator()(const Logic &logic, i64 cycle, bool active) {
        if (busy < 0 || logic.sample(busy) || active) calm_since = cycle;
        return !active && (logic.quiet() || (busy >= 0 && cycle - calm_since >= CALM));
    }
};

struct Transfer {  // mirrors the structure in event_engine.py
    const uint8_t *bytes;
    i64 count, taken;
    uint8_t *answer;
    i64 capacity, answered;
    i64 cycle;
    i32 idle;
};

}  // namespace
