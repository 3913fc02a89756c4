// One simulation of synchronous logic with one clock, driven by bytes: what stands behind the receiver of a link, and
// before its transmitter, which takes every byte at once.

#include "event_logic.h"

namespace {

struct Port {  // mirrors the structure in byte_engine.py
    i32 data[8], valid;
};

class Simulator {
    Logic logic;
    Rest rests;
    const Port in, out;
    const i64 pace;  // cycles from a byte to the next one
    i64 cycle = 0, next = 0;

public:
    Simulator(const Program &program, const Port &in, const Port &out, i32 busy, i64 pace)
        : logic(program), rests(busy), in(in), out(out), pace(pace) {}
    void run(Transfer &t, i64 events) {
        t.idle = 0;
        for (i64 end = logic.events + events; logic.events < end && t.answered < t.capacity;) {
            bool offers = cycle >= next && t.taken < t.count;
            if (offers) {
                uint8_t byte = t.bytes[t.taken++];
                for (int b = 0; b < 8; b++) logic.drive(in.data[b], byte >> b & 1);
                next = cycle + pace;
            }
            logic.drive(in.valid, offers);
            logic.settle();
            if (rests(logic, cycle, cycle < next)) {
                if (t.taken < t.count) continue;
                t.idle = 1;
                break;
            }
            if (logic.sample(out.valid)) {
                uint8_t byte = 0;
                for (int b = 0; b < 8; b++) byte |= logic.sample(out.data[b]) << b;
                t.answer[t.answered++] = byte;
            }
            logic.clock();
            cycle++;
            end -= 8;  // what a cycle costs beside its events
        }
        t.cycle = cycle;
    }
    bool sample(i32 net) const { return logic.sample(net); }
};

}  // namespace

extern "C" {

// busy: a net, or -1.
Simulator *simulator_new(const Program *program, const Port *in, const Port *out, i32 busy, i64 pace) {
    return new Simulator(*program, *in, *out, busy, pace);
}
void simulator_delete(Simulator *s) { delete s; }
void simulator_run(Simulator *s, Transfer *transfer, i64 events) { s->run(*transfer, events); }
i32 simulator_sample(const Simulator *s, i32 net) { return s->sample(net); }
}
