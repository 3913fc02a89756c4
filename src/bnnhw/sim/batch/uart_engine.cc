// One simulation of synchronous logic with one clock, driven through a UART.

#include "event_logic.h"

namespace {

// The other end of a UART, 8N1: edges at the cycles nearest to multiples of clock_hz / baud, samples in the middle.
class Line {
    static constexpr int BITS = 10;  // start, 8 data, stop
    const i64 clock_hz, baud;

    i64 at(i64 start, int half_bits) const { return start + (half_bits * clock_hz + baud) / (2 * baud); }

public:
    static constexpr i64 NEVER = INT64_MAX;
    i64 next_edge = NEVER, next_sample = NEVER;

    Line(i64 clock_hz, i64 baud) : clock_hz(clock_hz), baud(baud) {}
    bool sending() const { return next_edge != NEVER; }
    void send(uint8_t byte, i64 cycle) {
        sent = byte << 1 | 1 << 9;
        sent_bits = 0;
        sent_start = next_edge = cycle;
    }
    // The level from the edge on; the last edge ends the stop bit.
    bool edge() {
        bool level = sent_bits == BITS || (sent >> sent_bits & 1);
        next_edge = sent_bits == BITS ? NEVER : at(sent_start, 2 * ++sent_bits);
        return level;
    }
    bool receiving() const { return next_sample != NEVER; }
    void begin(i64 cycle) {
        received = received_bits = 0;
        received_start = cycle;
        next_sample = at(cycle, 1);
    }
    // Takes a sample; whether it completes a byte.
    bool sample(bool level, uint8_t *byte) {
        bool glitch = received_bits == 0 && level;  // no start bit
        received |= level << received_bits++;
        next_sample = glitch || received_bits == BITS ? NEVER : at(received_start, 2 * received_bits + 1);
        *byte = received >> 1;
        return received_bits == BITS && level;
    }

private:
    int sent = 0, sent_bits = 0, received = 0, received_bits = 0;
    i64 sent_start = 0, received_start = 0;
};

class Simulator {
    Logic logic;
    Line line;
    Rest rests;
    i32 rx, tx;
    bool level = true;
    i64 cycle = 0;

public:
    Simulator(const Program &program, i32 rx, i32 tx, i32 busy, i64 clock_hz, i64 baud)
        : logic(program), line(clock_hz, baud), rests(busy), rx(rx), tx(tx) {
        logic.drive(rx, true);
    }
    void run(Transfer &t, i64 events) {
        t.idle = 0;
        for (i64 end = logic.events + events; logic.events < end && t.answered < t.capacity;) {
            if (!line.sending() && t.taken < t.count) line.send(t.bytes[t.taken++], cycle);
            if (cycle == line.next_edge) {
                logic.drive(rx, line.edge());
                if (!line.sending()) continue;
            }
            logic.settle();
            bool now = logic.sample(tx);
            if (cycle == line.next_sample) t.answered += line.sample(now, t.answer + t.answered);
            if (!line.receiving() && level && !now) line.begin(cycle);
            level = now;
            if (rests(logic, cycle, line.sending() || line.receiving())) {
                if (t.taken < t.count) continue;
                t.idle = 1;
                break;
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
Simulator *simulator_new(const Program *program, i32 rx, i32 tx, i32 busy, i64 clock_hz, i64 baud) {
    return new Simulator(*program, rx, tx, busy, clock_hz, baud);
}
void simulator_delete(Simulator *s) { delete s; }
void simulator_run(Simulator *s, Transfer *transfer, i64 events) { s->run(*transfer, events); }
i32 simulator_sample(const Simulator *s, i32 net) { return s->sample(net); }
}
