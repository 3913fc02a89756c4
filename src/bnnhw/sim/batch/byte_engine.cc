// One simulation of synchronous logic with one clock, driven by bytes: a link, which takes them as it is ready, and whose
// own are taken at once.

#include "event_logic.h"

namespace {

struct Port {  // mirrors the structure in byte_engine.py
    i32 data[8], valid, ready;
};

class Simulator {
    Logic logic;
    Rest rests;
    const Port in, out;
    i64 cycle = 0;

public:
    Simulator(const Program &program, const Port &in, const Port &out, i32 busy)
        : logic(program), rests(busy), in(in), out(out) {}
    void run(Transfer &t, i64 events) {
        t.idle = 0;
        for (i64 end = logic.events + events; logic.events < end && t.answered < t.capacity;) {
            bool offers = t.taken < t.count;
            if (offers)
                for (int b = 0; b < 8; b++) logic.drive(in.data[b], t.bytes[t.taken] >> b & 1);
            logic.drive(in.valid, offers);
            logic.settle();
            if (rests(logic, cycle, offers)) {
                t.idle = 1;
                break;
            }
            if (logic.sample(out.valid)) {
                uint8_t byte = 0;
                for (int b = 0; b < 8; b++) byte |= logic.sample(out.data[b]) << b;
                t.answer[t.answered++] = byte;
            }
            if (offers && logic.sample(in.ready)) t.taken++;
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
Simulator *simulator_new(const Program *program, const Port *in, const Port *out, i32 busy) {
    return new Simulator(*program, *in, *out, busy);
}
void simulator_delete(Simulator *s) { delete s; }
void simulator_run(Simulator *s, Transfer *transfer, i64 events) { s->run(*transfer, events); }
i32 simulator_sample(const Simulator *s, i32 net) { return s->sample(net); }
}
