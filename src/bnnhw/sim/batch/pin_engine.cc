// One simulation of synchronous logic with one clock, whose pins are driven and sampled in every cycle.

#include <vector>

#include "event_logic.h"

namespace {

class Simulator {
    Logic logic;
    const std::vector<i32> in, out;
    u64 driven = 0;

public:
    Simulator(const Program &program, std::vector<i32> in, std::vector<i32> out)
        : logic(program), in(std::move(in)), out(std::move(out)) {}
    // Bit n of a word is net n of `in`, or of `out`, before the clock edge that ends the cycle.
    void run(const u64 *drive, u64 *sampled, i64 cycles) {
        for (i64 cycle = 0; cycle < cycles; cycle++) {
            for (u64 changed = drive[cycle] ^ driven; changed; changed &= changed - 1) {
                int n = __builtin_ctzll(changed);
                logic.drive(in[n], drive[cycle] >> n & 1);
            }
            driven = drive[cycle];
            logic.settle();
            u64 word = 0;
            for (size_t n = 0; n < out.size(); n++) word |= u64(logic.sample(out[n])) << n;
            sampled[cycle] = word;
            logic.clock();
        }
    }
};

}  // namespace

extern "C" {

Simulator *simulator_new(const Program *program, const i32 *in, i32 ins, const i32 *out, i32 outs) {
    return new Simulator(*program, {in, in + ins}, {out, out + outs});
}
void simulator_delete(Simulator *s) { delete s; }
void simulator_run(Simulator *s, const u64 *drive, u64 *sampled, i64 cycles) { s->run(drive, sampled, cycles); }
}
