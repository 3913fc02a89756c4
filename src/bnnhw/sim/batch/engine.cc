// A bit-parallel simulator of synchronous logic with one clock: 64 * W independent simulations ("lanes") at once.
//
// Every net is a vector of one bit for each lane, every gate a function of three nets given by its truth table: the gate
// with table T is bit a + 2 b + 4 c of T. Gates are sorted by depth, then by table, so that a run of equal gates is one
// tight loop without a dispatch. netlist: constants 0 and 1, inputs, flip-flops, memory read data, gates.

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "gates.h"
#include "program.h"

namespace {

// Mirrors of the structures in engine.py; every pointer stays with the caller.
struct Stream { i32 valid, ready, bits; const i32 *payload; };

struct Job {
    i32 lanes, in_words, out_words;
    Stream i, o;
    const i64 *first_in, *end_in, *first_out, *end_out;  // of each lane, in beats
    const u64 *beats;
    u64 *outputs;
    i64 *accepted_cycles, *output_cycles;
    u64 stall_i, stall_o, seed;  // a lane stalls where a random 64-bit number is below the bound
    i64 patience, drain;
};

struct Status { i64 cycles, accepted, produced, surplus, state; };  // state 0: not done, 1: done, 2: no progress

template <int W> struct Word { typedef u64 type __attribute__((vector_size(8 * W))); };

// Transposes a 64 x 64 matrix of bits: bit c of word r goes to bit r of word c.
void transpose(u64 *m) {
    u64 mask = 0x00000000ffffffffull;
    for (int half = 32; half; half >>= 1, mask ^= mask << half)
        for (int r = 0; r < 64; r = (r + half + 1) & ~half) {
            u64 swap = ((m[r] >> half) ^ m[r + half]) & mask;
            m[r] ^= swap << half;
            m[r + half] ^= swap;
        }
}

class Simulator {
public:
    virtual ~Simulator() {}
    virtual void start(const Job *job) = 0;
    virtual void advance(i64 cycles, Status *status, const i32 *traced, i32 traced_count, uint8_t *trace) = 0;
};

template <int W> class Lanes : public Simulator {
    typedef typename Word<W>::type V;
    static constexpr int LANES = 64 * W;

    const Program p;
    const Job *job = nullptr;
    struct Free { void operator()(void *memory) const { free(memory); } };
    std::unique_ptr<V[], Free> net, next;
    std::vector<std::vector<u64>> ram;  // of each writable memory, every lane's rows
    const Kernel<V> *kernel = kernels<V>(std::make_index_sequence<256>());

    std::vector<i64> in, out;    // the next beat of each lane
    std::vector<u64> random;     // the generator of each lane
    V offering, taking, fed, served;  // fed: lanes without a further beat; served: lanes with all their outputs
    i64 cycle, quiet, drained;
    Status total;

    static V *allocate(size_t count) {
        V *memory = static_cast<V *>(aligned_alloc(64, (count * sizeof(V) + 63) / 64 * 64));
        memset(static_cast<void *>(memory), 0, count * sizeof(V));
        return memory;
    }
    u64 &bits(i32 n, int w) { return reinterpret_cast<u64 *>(&net[n])[w]; }
    static bool get_lane(const V &v, int lane) { return v[lane / 64] >> (lane % 64) & 1; }
    static void set_lane(V &v, int lane) { v[lane / 64] |= 1ull << (lane % 64); }
    static void clear_lane(V &v, int lane) { v[lane / 64] &= ~(1ull << (lane % 64)); }
    static bool any(const V &v) {
        u64 all = 0;
        for (int w = 0; w < W; w++) all |= v[w];
        return all;
    }

    int words(const Memory &m) const { return (m.width + 63) / 64; }
    u64 *rows(i32 memory, int lane) {
        const Memory &m = p.memory[memory];
        if (!m.writable) return const_cast<u64 *>(p.rows + m.init);
        return ram[memory].data() + size_t(lane) * m.depth * words(m);
    }
    // The address of each lane.
    void addresses(i32 link, i32 count, u64 *address) {
        u64 block[64];
        for (int w = 0; w < W; w++) {
            for (int b = 0; b < 64; b++) block[b] = b < count ? bits(p.links[link + b], w) : 0;
            transpose(block);
            memcpy(address + 64 * w, block, sizeof block);
        }
    }
    void read(const ReadPort &port) {
        const Memory &m = p.memory[port.memory];
        int count = words(m);
        u64 address[LANES], block[64];
        bool same = !m.writable;
        for (int b = 0; b < port.address_bits && same; b++) {
            V v = net[p.links[port.address + b]];
            for (int w = 0; w < W; w++) same &= v[w] == (v[0] & 1 ? ~0ull : 0);
        }
        if (same) {
            u64 row = 0;
            for (int b = 0; b < port.address_bits; b++) row |= (bits(p.links[port.address + b], 0) & 1) << b;
            const u64 *data = rows(port.memory, 0) + row * count;
            V zero = {}, one = ~zero;
            for (int b = 0; b < m.width; b++)
                net[port.data + b] = row < u64(m.depth) && (data[b / 64] >> (b % 64) & 1) ? one : zero;
            return;
        }
        addresses(port.address, port.address_bits, address);
        for (int k = 0; k < count; k++)
            for (int w = 0; w < W; w++) {
                for (int lane = 0; lane < 64; lane++) {
                    u64 row = address[64 * w + lane];
                    block[lane] = row < u64(m.depth) ? rows(port.memory, 64 * w + lane)[row * count + k] : 0;
                }
                transpose(block);
                for (int b = 0; b < 64 && 64 * k + b < m.width; b++) bits(port.data + 64 * k + b, w) = block[b];
            }
    }
    void write(const WritePort &port) {
        const Memory &m = p.memory[port.memory];
        int count = words(m);
        V enabled = {};
        for (int b = 0; b < m.width; b++) enabled |= net[p.links[port.enable + b]];
        if (!any(enabled)) return;
        u64 address[LANES], data[64], mask[64];
        addresses(port.address, port.address_bits, address);
        for (int k = 0; k < count; k++)
            for (int w = 0; w < W; w++) {
                for (int b = 0; b < 64; b++) {
                    bool within = 64 * k + b < m.width;
                    data[b] = within ? bits(p.links[port.data + 64 * k + b], w) : 0;
                    mask[b] = within ? bits(p.links[port.enable + 64 * k + b], w) : 0;
                }
                transpose(data);
                transpose(mask);
                for (int lane = 0; lane < 64; lane++) {
                    u64 row = address[64 * w + lane];
                    if (!mask[lane] || row >= u64(m.depth)) continue;
                    u64 &word = rows(port.memory, 64 * w + lane)[row * count + k];
                    word = (word & ~mask[lane]) | (data[lane] & mask[lane]);
                }
            }
    }

    u64 draw(int lane) {  // xorshift64*
        u64 &x = random[lane];
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        return x * 0x2545f4914f6cdd1dull;
    }

    // Offers the next beat of every lane in `lanes`.
    void offer(const V &lanes) {
        u64 block[64];
        for (int w = 0; w < W; w++) {
            if (!lanes[w]) continue;
            for (int k = 0; k < job->in_words; k++) {
                for (int lane = 0; lane < 64; lane++) {
                    bool offered = lanes[w] >> lane & 1;
                    block[lane] = offered ? job->beats[in[64 * w + lane] * job->in_words + k] : 0;
                }
                transpose(block);
                for (int b = 0; b < 64 && 64 * k + b < job->i.bits; b++) {
                    u64 &word = bits(job->i.payload[64 * k + b], w);
                    word = (word & ~lanes[w]) | block[b];
                }
            }
        }
    }
    // Stores the output beat of every lane in `lanes`.
    void collect(const V &lanes) {
        u64 block[64];
        for (int w = 0; w < W; w++) {
            if (!lanes[w]) continue;
            for (int k = 0; k < job->out_words; k++) {
                for (int b = 0; b < 64; b++)
                    block[b] = 64 * k + b < job->o.bits ? bits(job->o.payload[64 * k + b], w) : 0;
                transpose(block);
                for (int lane = 0; lane < 64; lane++)
                    if (lanes[w] >> lane & 1) job->outputs[out[64 * w + lane] * job->out_words + k] = block[lane];
            }
        }
    }

    void begin_cycle() {
        V fresh = {};
        for (int lane = 0; lane < job->lanes; lane++) {
            if (!get_lane(offering, lane) && !get_lane(fed, lane) && (!job->stall_i || draw(lane) >= job->stall_i))
                set_lane(fresh, lane);
            if (!job->stall_o || draw(lane) >= job->stall_o) set_lane(taking, lane);
            else clear_lane(taking, lane);
        }
        if (any(fresh)) offer(fresh);
        offering |= fresh;
        net[job->i.valid] = offering;
        net[job->o.ready] = taking;
    }
    void end_cycle() {
        V accepted = offering & net[job->i.ready], produced = taking & net[job->o.valid];
        V wanted = produced & ~served;
        collect(wanted);
        quiet++;
        for (int lane = 0; lane < job->lanes; lane++) {
            if (get_lane(accepted, lane)) {
                job->accepted_cycles[in[lane]++] = cycle;
                if (in[lane] == job->end_in[lane]) set_lane(fed, lane);
                total.accepted++;
                quiet = 0;
            }
            if (get_lane(wanted, lane)) {
                job->output_cycles[out[lane]++] = cycle;
                if (out[lane] == job->end_out[lane]) set_lane(served, lane);
                total.produced++;
                quiet = 0;
            } else if (get_lane(produced, lane)) {
                total.surplus++;
            }
        }
        offering &= ~accepted;
    }

public:
    explicit Lanes(const Program *program)
        : p(*program), net(allocate(p.nets)), next(allocate(p.flip_flops)), ram(p.memories), random(LANES) {
        net[1] = ~net[1];
        for (i32 n = 0; n < p.flip_flops; n++)
            if (p.reset[n]) net[p.first_flip_flop + n] = net[1];
        for (i32 n = 0; n < p.memories; n++) {
            const Memory &m = p.memory[n];
            if (!m.writable) continue;
            size_t size = size_t(m.depth) * words(m);
            ram[n].resize(size * LANES);
            for (int lane = 0; lane < LANES; lane++) memcpy(&ram[n][lane * size], p.rows + m.init, size * 8);
        }
    }
    void settle() {
        for (i32 n = 0; n < p.steps; n++) {
            const Step &s = p.step[n];
            if (s.kind) read(p.read[s.index]);
            else kernel[s.index](net.get(), p.gates + 3 * s.start, &net[p.first_gate + s.start], s.count);
        }
    }
    void clock() {
        for (i32 n = 0; n < p.writes; n++) write(p.write[n]);
        for (i32 n = 0; n < p.flip_flops; n++) next[n] = net[p.next[n]];
        memcpy(static_cast<void *>(&net[p.first_flip_flop]), next.get(), p.flip_flops * sizeof(V));
    }

    void start(const Job *described) override {
        job = described;
        in.assign(job->first_in, job->first_in + job->lanes);
        out.assign(job->first_out, job->first_out + job->lanes);
        offering = taking = fed = served = V{};
        total = Status{};
        cycle = quiet = drained = 0;
        for (int lane = 0; lane < job->lanes; lane++) {
            random[lane] = (job->seed + 1) * 0x9e3779b97f4a7c15ull ^ (lane + 1) * 0xd1342543de82ef95ull;
            for (int k = 0; k < 8; k++) draw(lane);
            if (in[lane] == job->end_in[lane]) set_lane(fed, lane);
            if (out[lane] == job->end_out[lane]) set_lane(served, lane);
        }
    }
    // Runs for at most `cycles` cycles; lane 0's traced nets of each cycle go to `trace`.
    void advance(i64 cycles, Status *status, const i32 *traced, i32 count, uint8_t *trace) override {
        V all = {};
        for (int lane = 0; lane < job->lanes; lane++) set_lane(all, lane);
        for (; cycles && !total.state; cycles--) {
            begin_cycle();
            settle();
            for (i32 n = 0; n < count; n++) *trace++ = bits(traced[n], 0) & 1;
            end_cycle();
            clock();
            cycle++;
            bool complete = !any(all & ~served) && !any(all & ~fed);
            if (complete && drained++ >= job->drain) total.state = 1;
            else if (!complete && quiet >= job->patience) total.state = 2;
        }
        total.cycles = cycle;
        *status = total;
    }
};

}  // namespace

extern "C" {

Simulator *simulator_new(const Program *program, i32 lanes) {
    if (lanes <= 64) return new Lanes<1>(program);
    return new Lanes<4>(program);
}
void simulator_delete(Simulator *s) { delete s; }
void simulator_start(Simulator *s, const Job *job) { s->start(job); }
void simulator_advance(Simulator *s, i64 cycles, Status *status, const i32 *traced, i32 count, uint8_t *trace) {
    s->advance(cycles, status, traced, count, trace);
}
}
