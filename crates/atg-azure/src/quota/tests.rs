//! An hour of quota in milliseconds: the model against services that count in different ways.

use super::meter::{Meter, Rule, Told};

const HOUR_MS: u64 = 3_600_000;

/// A service that answers after a while and counts as the rule says.
struct Service {
    rule: Rule,
    since_ms: u64,
    used: u64,
    level_milli: u64,
    admitted: u64,
    refused: u64,
}

impl Service {
    fn new(rule: Rule) -> Self {
        let level_milli = match rule {
            Rule::Window { .. } => 0,
            Rule::Bucket { burst, .. } => burst * 1000,
        };
        Self {
            rule,
            since_ms: 0,
            used: 0,
            level_milli,
            admitted: 0,
            refused: 0,
        }
    }

    fn take(&mut self, now_ms: u64) -> Told {
        let (admitted, remaining, wait_ms) = match self.rule {
            Rule::Window { limit, span_ms } => {
                if now_ms >= self.since_ms + span_ms || self.admitted + self.refused == 0 {
                    self.since_ms = now_ms;
                    self.used = 0;
                }
                let admitted = self.used < limit;
                self.used += u64::from(admitted);
                (admitted, limit - self.used, self.since_ms + span_ms - now_ms)
            }
            Rule::Bucket { burst, per_second } => {
                self.level_milli = (self.level_milli + (now_ms - self.since_ms) * per_second).min(burst * 1000);
                self.since_ms = now_ms;
                let admitted = self.level_milli >= 1000;
                self.level_milli -= if admitted { 1000 } else { 0 };
                (admitted, self.level_milli / 1000, 1000)
            }
        };
        self.admitted += u64::from(admitted);
        self.refused += u64::from(!admitted);
        Told {
            remaining: Some(remaining),
            // As Azure prints it: whole seconds.
            resets_after_ms: Some(wait_ms / 1000 * 1000),
            throttled: !admitted,
            retry_after_ms: (!admitted).then_some(wait_ms.div_ceil(1000) * 1000),
        }
    }
}

/// Answers take `latency_ms`, arrivals a jittered part of it; at most `in_flight` at once.
fn an_hour(rule: Rule, latency_ms: u64, in_flight: usize) -> (u64, u64) {
    let mut meter = Meter::new(rule);
    let mut service = Service::new(rule);
    let mut now_ms = 0;
    let mut flying: Vec<(u64, super::meter::Ticket, Told)> = Vec::new();
    let mut to_arrive: Vec<(u64, super::meter::Ticket)> = Vec::new();
    let mut seed = 7_u64;
    while now_ms < HOUR_MS {
        to_arrive.sort_by_key(|(at, _)| *at);
        while to_arrive.first().is_some_and(|(at, _)| *at <= now_ms) {
            let (at, ticket) = to_arrive.remove(0);
            flying.push((at + latency_ms / 2, ticket, service.take(at)));
        }
        flying.sort_by_key(|(at, ..)| *at);
        while flying.first().is_some_and(|(at, ..)| *at <= now_ms) {
            let (_, ticket, told) = flying.remove(0);
            meter.answered(ticket, told, now_ms);
        }
        if flying.len() + to_arrive.len() < in_flight
            && let Ok(ticket) = meter.reserve(1, now_ms)
        {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            to_arrive.push((now_ms + seed % (latency_ms / 4 + 1), ticket));
            continue;
        }
        now_ms += 5;
    }
    (service.admitted, service.refused)
}

fn check(rule: Rule, latency_ms: u64, in_flight: usize, ceiling: u64) {
    let (admitted, refused) = an_hour(rule, latency_ms, in_flight);
    assert!(
        admitted * 100 >= ceiling * 90,
        "{rule:?} {latency_ms} ms: {admitted} of {ceiling}"
    );
    assert!(
        refused * 1000 <= admitted,
        "{rule:?} {latency_ms} ms: {refused} refused of {admitted}"
    );
}

#[test]
fn an_hour_of_resource_graph() {
    for latency_ms in [10, 50, 300, 900] {
        check(
            Rule::Window {
                limit: 15,
                span_ms: 5000,
            },
            latency_ms,
            15,
            15 * 720,
        );
    }
}

#[test]
fn an_hour_of_resource_manager() {
    for latency_ms in [10, 50, 300, 900] {
        check(
            Rule::Bucket {
                burst: 250,
                per_second: 25,
            },
            latency_ms,
            60,
            250 + 25 * 3600,
        );
    }
}

#[test]
fn a_throttled_meter_stays_closed_as_long_as_it_was_told() {
    let mut meter = Meter::new(Rule::Window {
        limit: 15,
        span_ms: 5000,
    });
    let ticket = meter.reserve(1, 0).unwrap();
    let told = Told {
        throttled: true,
        retry_after_ms: Some(7000),
        ..Told::default()
    };
    meter.answered(ticket, told, 100);
    assert_eq!(meter.reserve(1, 200), Err(7100));
    assert!(meter.reserve(1, 7100).is_ok());
}

#[test]
fn what_somebody_else_spends_is_believed() {
    let mut meter = Meter::new(Rule::Window {
        limit: 15,
        span_ms: 5000,
    });
    let ticket = meter.reserve(1, 10_000).unwrap();
    let told = Told {
        remaining: Some(2),
        resets_after_ms: Some(3000),
        ..Told::default()
    };
    meter.answered(ticket, told, 10_100);
    assert!(meter.reserve(1, 10_100).is_ok());
    assert!(meter.reserve(1, 10_100).is_ok());
    assert_eq!(meter.reserve(1, 10_100), Err(13_100));

    let mut bucket = Meter::new(Rule::Bucket {
        burst: 250,
        per_second: 25,
    });
    let ticket = bucket.reserve(1, 0).unwrap();
    bucket.answered(
        ticket,
        Told {
            remaining: Some(3),
            ..Told::default()
        },
        0,
    );
    assert!(bucket.reserve(1, 0).is_ok());
    assert!(bucket.reserve(1, 0).is_err());
}

#[test]
fn a_request_dearer_than_the_limit_passes_alone() {
    let mut meter = Meter::new(Rule::Window {
        limit: 15,
        span_ms: 5000,
    });
    assert!(meter.reserve(40, 0).is_ok());
    assert!(meter.reserve(1, 1000).is_err());
    assert!(meter.reserve(1, 5300).is_ok());
}
