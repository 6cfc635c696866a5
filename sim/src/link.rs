//! A phone's link in virtual time: two traces, a round-trip time, and the stretches without any signal.

use std::ops::Range;

use crate::clock::Ms;
use crate::trace::Trace;

/// The round-trip time of 3G, in ms.
pub const UMTS_RTT: Ms = 400;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the phone to the server.
    Up,
    /// From the server to the phone.
    Down,
}

/// A link with what is queued on it. It knows no clock: every question carries its time.
#[derive(Clone, Debug)]
pub struct Link {
    up: Lane,
    down: Lane,
    rtt: Ms,
    /// In order of time, neither touching nor overlapping.
    outages: Vec<Range<Ms>>,
}

#[derive(Clone, Debug)]
struct Lane {
    trace: Trace,
    /// The last queued byte's number in the trace.
    queued_to: u64,
}

/// An outage that does not end after it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("outage from {start} ms does not end after it starts, but at {end} ms")]
pub struct BackwardOutage {
    /// Where it starts, in ms.
    pub start: Ms,
    /// Where it ends, in ms.
    pub end: Ms,
}

impl Link {
    /// A link without outages, at [`UMTS_RTT`].
    #[must_use]
    pub fn new(up: Trace, down: Trace) -> Self {
        let lane = |trace| Lane { trace, queued_to: 0 };
        Self { up: lane(up), down: lane(down), rtt: UMTS_RTT, outages: Vec::new() }
    }

    /// The recorded 3G link.
    #[must_use]
    pub fn umts() -> Self {
        Self::new(Trace::umts_up(), Trace::umts_down())
    }

    /// With another round-trip time; each way takes half.
    #[must_use]
    pub fn with_rtt(self, rtt: Ms) -> Self {
        Self { rtt, ..self }
    }

    /// Without signal in this stretch too (its start included, its end not); it may overlap others.
    ///
    /// # Errors
    /// When it does not end after it starts.
    pub fn with_outage(mut self, Range { mut start, mut end }: Range<Ms>) -> Result<Self, BackwardOutage> {
        if start >= end {
            return Err(BackwardOutage { start, end });
        }
        self.outages.retain(|other| {
            let apart = other.end < start || end < other.start;
            if !apart {
                (start, end) = (start.min(other.start), end.max(other.end));
            }
            apart
        });
        let place = self.outages.partition_point(|other| other.end < start);
        self.outages.insert(place, start..end);
        Ok(self)
    }

    /// The round-trip time.
    #[must_use]
    pub fn rtt(&self) -> Ms {
        self.rtt
    }

    /// Whether the phone has signal. A dead stretch of the trace is not an outage: bytes wait, nothing breaks.
    #[must_use]
    pub fn has_signal(&self, at: Ms) -> bool {
        self.outage_ending_after(at).is_none_or(|outage| at < outage.start)
    }

    /// The first moment after `at` at which signal goes or comes back, if it ever does.
    #[must_use]
    pub fn next_change(&self, at: Ms) -> Option<Ms> {
        self.outage_ending_after(at).map(|outage| if at < outage.start { outage.start } else { outage.end })
    }

    /// Queues `bytes` behind what is queued already and says when the last of them arrives at the other end.
    ///
    /// `None`: the signal is gone, or goes before they are through the air. They are lost, and with them
    /// everything else that was still queued. Calls for one direction must come in order of `now`.
    pub fn send(&mut self, direction: Direction, now: Ms, bytes: u64) -> Option<Ms> {
        if !self.has_signal(now) {
            return None;
        }
        let lost_at = self.next_change(now);
        // The air is at the phone's end: bytes for it first cross the wires, its own cross them after.
        let half = self.rtt / 2;
        let (lane, wires_before, wires_after) = match direction {
            Direction::Up => (&mut self.up, 0, self.rtt - half),
            Direction::Down => (&mut self.down, half, 0),
        };
        let through = lane.queue(now + wires_before, bytes);
        if let Some(lost_at) = lost_at.filter(|&lost_at| through > lost_at) {
            lane.queued_to = lane.trace.passed_by(lost_at);
            return None;
        }
        Some(through + wires_after)
    }

    fn outage_ending_after(&self, at: Ms) -> Option<&Range<Ms>> {
        self.outages.get(self.outages.partition_point(|outage| outage.end <= at))
    }
}

impl Lane {
    /// When the last of `bytes` is through the air, if they reach the queue's end at `at`.
    fn queue(&mut self, at: Ms, bytes: u64) -> Ms {
        self.queued_to = self.queued_to.max(self.trace.passed_by(at)) + bytes;
        self.trace.passed_at(self.queued_to).max(at)
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{Down, Up};
    use super::*;

    /// One byte per ms up, two down, no signal from 1000 to 2000 ms.
    fn link() -> Link {
        Link::new(Trace::parse("0,100").unwrap(), Trace::parse("0,200").unwrap())
            .with_outage(1000..2000)
            .unwrap()
    }

    #[test]
    fn signal_goes_when_an_outage_starts_and_is_back_when_it_ends() {
        let link = link().with_outage(5000..5001).unwrap();
        assert_eq!(
            [0, 999, 1000, 1450, 1999, 2000, 5000, 5001].map(|at| link.has_signal(at)),
            [true, true, false, false, false, true, false, true]
        );
        assert_eq!(
            [0, 999, 1000, 1999, 2000, 5000, 5001].map(|at| link.next_change(at)),
            [Some(1000), Some(1000), Some(2000), Some(2000), Some(5000), Some(5001), None]
        );
    }

    #[test]
    fn bytes_take_their_time_in_the_air_and_half_the_round_trip() {
        assert_eq!(link().send(Up, 10, 50), Some(10 + 50 + 200));
        assert_eq!(link().send(Down, 10, 50), Some(10 + 200 + 25));
        assert_eq!(link().with_rtt(0).send(Up, 10, 0), Some(10));
    }

    #[test]
    fn each_direction_has_its_own_queue_in_which_bytes_wait_for_those_before() {
        let mut link = link().with_rtt(0);
        assert_eq!(link.send(Up, 0, 300), Some(300));
        assert_eq!(link.send(Up, 100, 50), Some(350));
        assert_eq!(link.send(Up, 100, 0), Some(350), "the end of a stream waits too");
        assert_eq!(link.send(Down, 100, 50), Some(125));
        assert_eq!(link.send(Up, 400, 1), Some(401), "time unused is not saved up");
    }

    #[test]
    fn a_transfer_in_pieces_ends_when_it_would_end_in_one() {
        let (mut one, mut pieces) = (Link::umts(), Link::umts());
        let ends: Vec<_> = (0..700).map(|_| pieces.send(Down, 12_345, 1_499)).collect();
        assert_eq!(ends.last().unwrap(), &one.send(Down, 12_345, 700 * 1_499));
    }

    #[test]
    fn what_is_not_through_the_air_when_signal_goes_is_lost_and_blocks_nothing_later() {
        let mut link = link();
        assert_eq!(link.send(Up, 700, 200), Some(1100), "through the air at 900");
        assert_eq!(link.send(Up, 800, 5_000), None);
        assert_eq!(link.send(Up, 900, 1), None, "behind what is lost");
        assert_eq!(link.send(Up, 1000, 1), None);
        assert_eq!(link.send(Down, 990, 0), None, "still in the wires when signal goes");
        assert_eq!(link.send(Up, 2000, 50), Some(2250));
    }

    #[test]
    fn outages_that_touch_become_one_in_whatever_order_they_come() {
        let expected = [1..3, 1000..2600, 9000..9001];
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1]] {
            let more = [1..3, 1900..2100, 2400..2600, 2100..2400, 9000..9001];
            let link = order.iter().fold(link(), |link, &i| link.with_outage(more[i].clone()).unwrap());
            assert_eq!(link.outages, expected, "{order:?}");
        }
    }

    #[test]
    fn an_outage_must_end_after_it_starts() {
        assert_eq!(link().with_outage(7..7).unwrap_err(), BackwardOutage { start: 7, end: 7 });
    }
}
