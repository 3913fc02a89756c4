// A bit-parallel simulator of synchronous logic with one clock: 64 * W independent simulations ("lanes") at once.
//
// Every net is a vector of one bit for each lane, every gate a function of three nets given by its truth table: the gate
// with table T is bit a + 2 b + 4 c of T. Gates are sorted by depth, then by table, so that a run of equal gates is one
// tight loop without a dispatch. netlist: constants 0 and 1, inputs, flip-flops, memory read data, gates.

#include <algorithm>
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
    static constexpr int FEW = 4;  // so many lanes are quicker one by one than transposed

    const Program p;
    const int lanes;
    const Job *job = nullptr;
    struct Free { void operator()(void *memory) const { free(memory); } };
    std::unique_ptr<V[], Free> net, next;
    std::vector<std::vector<u64>> ram;  // of each writable memory, every lane's rows
    std::vector<u64> written, last_written;  // writes to each memory; of each read port, when it read last
    std::vector<i32> first_address;  // of each read port, in `last_address`
    std::vector<V> last_address;
    const Kernel<V> *kernel = kernels<V>(std::make_index_sequence<256>());

    std::vector<i64> in, out;    // the next beat of each lane
    std::vector<u64> random;     // the generator of each lane
    V used = {}, offering, taking, fed, served;  // fed: lanes without a further beat; served: lanes with all their outputs
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
    int lanes_of(int w) const { return std::min(64, lanes - 64 * w); }

    // The numbers whose bits, lowest first, are so many nets: one of each lane of word w.
    void gather(const i32 *nets, int count, int w, u64 *numbers) {
        count = std::min(count, 64);
        if (lanes_of(w) <= FEW) {
            for (int lane = 0; lane < lanes_of(w); lane++) {
                numbers[lane] = 0;
                for (int b = 0; b < count; b++) numbers[lane] |= (bits(nets[b], w) >> lane & 1) << b;
            }
            return;
        }
        for (int b = 0; b < 64; b++) numbers[b] = b < count ? bits(nets[b], w) : 0;
        transpose(numbers);
    }
    // The other way: of numbers of each lane of word w, bit b of all lanes.
    void scatter(u64 *numbers, int w) {
        if (lanes_of(w) > FEW) {
            for (int lane = lanes_of(w); lane < 64; lane++) numbers[lane] = 0;
            return transpose(numbers);
        }
        u64 of_lane[FEW];
        std::copy(numbers, numbers + lanes_of(w), of_lane);
        for (int b = 0; b < 64; b++) {
            numbers[b] = 0;
            for (int lane = 0; lane < lanes_of(w); lane++) numbers[b] |= (of_lane[lane] >> b & 1) << lane;
        }
    }

    // Whether a port would read what it read last: at the same addresses, and nothing was written since.
    bool stays(i32 n) {
        const ReadPort &port = p.read[n];
        V *last = &last_address[first_address[n]], changed = {};
        for (int b = 0; b < port.address_bits; b++) {
            changed |= last[b] ^ net[p.links[port.address + b]];
            last[b] = net[p.links[port.address + b]];
        }
        bool fresh = last_written[n] != written[port.memory];
        last_written[n] = written[port.memory];
        return !fresh && !any(changed & used);
    }
    void read(i32 n) {
        if (stays(n)) return;
        const ReadPort &port = p.read[n];
        const Memory &m = p.memory[port.memory];
        int count = words(m);
        bool same = !m.writable;
        for (int b = 0; b < port.address_bits && same; b++) {
            const V &v = net[p.links[port.address + b]];
            same = !any((v ^ net[v[0] & 1]) & used);
        }
        u64 address[64], block[64];
        if (same) {
            u64 row = 0;
            for (int b = 0; b < port.address_bits; b++) row |= (bits(p.links[port.address + b], 0) & 1) << b;
            const u64 *data = rows(port.memory, 0) + row * count;
            for (int b = 0; b < m.width; b++)
                net[port.data + b] = net[row < u64(m.depth) && (data[b / 64] >> (b % 64) & 1)];
            return;
        }
        for (int w = 0; 64 * w < lanes; w++) {
            gather(p.links + port.address, port.address_bits, w, address);
            for (int k = 0; k < count; k++) {
                for (int lane = 0; lane < lanes_of(w); lane++) {
                    u64 row = address[lane];
                    block[lane] = row < u64(m.depth) ? rows(port.memory, 64 * w + lane)[row * count + k] : 0;
                }
                scatter(block, w);
                for (int b = 0; b < 64 && 64 * k + b < m.width; b++) bits(port.data + 64 * k + b, w) = block[b];
            }
        }
    }
    void write(const WritePort &port) {
        const Memory &m = p.memory[port.memory];
        int count = words(m);
        V enabled = {};
        for (int b = 0; b < m.width; b++) enabled |= net[p.links[port.enable + b]];
        if (!any(enabled & used)) return;
        written[port.memory]++;
        u64 address[64], data[64], mask[64];
        for (int w = 0; 64 * w < lanes; w++) {
            gather(p.links + port.address, port.address_bits, w, address);
            for (int k = 0; k < count; k++) {
                gather(p.links + port.data + 64 * k, m.width - 64 * k, w, data);
                gather(p.links + port.enable + 64 * k, m.width - 64 * k, w, mask);
                for (int lane = 0; lane < lanes_of(w); lane++) {
                    u64 row = address[lane];
                    if (!mask[lane] || row >= u64(m.depth)) continue;
                    u64 &word = rows(port.memory, 64 * w + lane)[row * count + k];
                    word = (word & ~mask[lane]) | (data[lane] & mask[lane]);
                }
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
                for (int lane = 0; lane < lanes_of(w); lane++) {
                    bool offered = lanes[w] >> lane & 1;
                    block[lane] = offered ? job->beats[in[64 * w + lane] * job->in_words + k] : 0;
                }
                scatter(block, w);
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
                gather(job->o.payload + 64 * k, job->o.bits - 64 * k, w, block);
                for (int lane = 0; lane < lanes_of(w); lane++)
                    if (lanes[w] >> lane & 1) job->outputs[out[64 * w + lane] * job->out_words + k] = block[lane];
            }
        }
    }

    void begin_cycle() {
        V fresh = {};
        for (int lane = 0; lane < lanes; lane++) {
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
        for (int lane = 0; lane < lanes; lane++) {
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
    Lanes(const Program *program, int lanes)
        : p(*program), lanes(lanes), net(allocate(p.nets)), next(allocate(p.flip_flops)), ram(p.memories),
          written(p.memories, 1), last_written(p.reads), random(lanes) {
        for (int lane = 0; lane < lanes; lane++) set_lane(used, lane);
        net[1] = ~net[1];
        for (i32 n = 0; n < p.flip_flops; n++)
            if (p.reset[n]) net[p.first_flip_flop + n] = net[1];
        for (i32 n = 0; n < p.memories; n++) {
            const Memory &m = p.memory[n];
            if (!m.writable) continue;
            size_t size = size_t(m.depth) * words(m);
            ram[n].reserve(size * lanes);
            for (int lane = 0; lane < lanes; lane++) ram[n].insert(ram[n].end(), p.rows + m.init, p.rows + m.init + size);
        }
        i32 addresses = 0;
        for (i32 n = 0; n < p.reads; n++) {
            first_address.push_back(addresses);
            addresses += p.read[n].address_bits;
        }
        last_address.resize(addresses);
    }
    void settle() {
        for (i32 n = 0; n < p.steps; n++) {
            const Step &s = p.step[n];
            if (s.kind) read(s.index);
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
        in.assign(job->first_in, job->first_in + lanes);
        out.assign(job->first_out, job->first_out + lanes);
        offering = taking = fed = served = V{};
        total = Status{};
        cycle = quiet = drained = 0;
        for (int lane = 0; lane < lanes; lane++) {
            random[lane] = (job->seed + 1) * 0x9e3779b97f4a7c15ull ^ (lane + 1) * 0xd1342543de82ef95ull;
            for (int k = 0; k < 8; k++) draw(lane);
            if (in[lane] == job->end_in[lane]) set_lane(fed, lane);
            if (out[lane] == job->end_out[lane]) set_lane(served, lane);
        }
    }
    // Runs for at most `cycles` cycles; lane 0's traced nets of each cycle go to `trace`.
    void advance(i64 cycles, Status *status, const i32 *traced, i32 count, uint8_t *trace) override {
        for (; cycles && !total.state; cycles--) {
            begin_cycle();
            settle();
            for (i32 n = 0; n < count; n++) *trace++ = bits(traced[n], 0) & 1;
            end_cycle();
            clock();
            cycle++;
            bool complete = !any(used & ~served) && !any(used & ~fed);
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
    if (lanes <= 64) return new Lanes<1>(program, lanes);
    return new Lanes<4>(program, lanes);
}
void simulator_delete(Simulator *s) { delete s; }
void simulator_start(Simulator *s, const Job *job) { s->start(job); }
void simulator_advance(Simulator *s, i64 cycles, Status *status, const i32 *traced, i32 count, uint8_t *trace) {
    s->advance(cycles, status, traced, count, trace);
}
}
