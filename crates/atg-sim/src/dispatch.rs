//! One call through everything: counting, faults, the token, the budget, the route.

use crate::call::{Call, Lane, Reply};
use crate::fault::FaultKind;
use crate::quota::Verdict;
use crate::sim::Sim;
use crate::tables;
use crate::{arg, arm, control, graph, token};

/// What happens to the bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    CutBefore,
    CutDuring,
    CutAfter,
    /// Half of the JSON, as a complete message.
    Truncated,
    /// An HTML page.
    Html,
}

/// An answer and how it is sent.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    pub(crate) wire: Wire,
    pub(crate) delay_ms: u64,
}

/// Answers a call from outside.
pub(crate) fn outer(sim: &Sim, call: &Call) -> Outcome {
    let lane = call.lane();
    if lane == Lane::Control {
        return whole(control::answer(sim, call));
    }
    sim.stats().came(lane, sim.now_ms());
    let outcome = disturbed(sim, call, lane);
    let cut = matches!(outcome.wire, Wire::CutBefore | Wire::CutDuring);
    sim.stats().answered(if cut { 500 } else { outcome.reply.status });
    outcome
}

/// Answers a call of a batch: it pays for itself and may be throttled, nothing else befalls it.
pub(crate) fn inner(sim: &Sim, call: &Call) -> Reply {
    let reply = admitted(sim, call, Lane::Graph);
    if reply.status == 429 {
        sim.stats().answered(429);
    }
    reply
}

fn whole(reply: Reply) -> Outcome {
    Outcome {
        reply,
        wire: Wire::Whole,
        delay_ms: 0,
    }
}

fn disturbed(sim: &Sim, call: &Call, lane: Lane) -> Outcome {
    let path = call.path.to_ascii_lowercase();
    let strikes = |kind| sim.strikes(kind, lane, &path);
    if strikes(FaultKind::CutBefore).is_some() {
        return Outcome {
            wire: Wire::CutBefore,
            ..whole(Reply::ok(serde_json::Value::Null))
        };
    }
    if strikes(FaultKind::Error500).is_some() {
        return whole(Reply::error(
            500,
            "InternalServerError",
            "Encountered internal server error.",
        ));
    }
    if strikes(FaultKind::Error503).is_some() {
        return whole(Reply::error(
            503,
            "ServiceUnavailable",
            "The service is temporarily unavailable.",
        ));
    }
    if let Some(fault) = strikes(FaultKind::Throttle) {
        return whole(throttled(lane).with("Retry-After", fault.value.unwrap_or(1).to_string()));
    }
    if strikes(FaultKind::ThrottleBare).is_some() {
        return whole(throttled(lane));
    }
    if strikes(FaultKind::TokenExpired).is_some() {
        sim.expire_tokens();
        return whole(token::expired(sim, lane));
    }
    let mut reply = admitted(sim, call, lane);
    let foreign = reply.status < 300 && strikes(FaultKind::WrongTenantToken).is_some();
    if foreign || reply.foreign {
        make_foreign(sim, &mut reply);
    }
    let good = reply.status < 300;
    let kinds = [
        (FaultKind::CutDuring, Wire::CutDuring),
        (FaultKind::CutAfter, Wire::CutAfter),
        (FaultKind::TruncatedJson, Wire::Truncated),
        (FaultKind::WrongContentType, Wire::Html),
    ];
    let wire = kinds
        .into_iter()
        .find(|(kind, _)| good && strikes(*kind).is_some())
        .map_or(Wire::Whole, |(_, wire)| wire);
    let delay_ms = strikes(FaultKind::Slow).map_or(0, |fault| fault.value.unwrap_or(1_500));
    Outcome { reply, wire, delay_ms }
}

/// Token, budget, route.
fn admitted(sim: &Sim, call: &Call, lane: Lane) -> Reply {
    if lane == Lane::Token {
        return token::answer(sim, call);
    }
    if lane == Lane::Data {
        return Reply::error(404, "ContactsNotFound", "Contacts not found.");
    }
    if let Some(reply) = arm::open(sim, call) {
        return reply;
    }
    let principal = match token::check(sim, call, lane) {
        Ok(principal) => principal,
        Err(refused) => return refused,
    };
    let path = call.path.to_ascii_lowercase();
    let scope = tables::subscription(&path).unwrap_or("tenant").to_owned();
    let (key, cost) = match lane {
        Lane::Arm => (format!("{scope}/{}", principal.id), 1),
        // A batch costs what its calls cost.
        Lane::Graph if path.ends_with("/$batch") => return graph::answer(sim, call),
        Lane::Graph => (principal.id, graph::cost(call)),
        Lane::Arg | Lane::Token | Lane::Data | Lane::Control => (principal.id, 1),
    };
    let verdict = sim.quotas().take(lane, &key, cost, sim.now_ms());
    if !verdict.admitted {
        return budget_headers(throttled(lane), lane, &scope, verdict, cost)
            .with("Retry-After", verdict.wait_ms.div_ceil(1_000).max(1).to_string());
    }
    let reply = match lane {
        Lane::Arg => arg::route::answer(sim, call),
        Lane::Graph => graph::answer(sim, call),
        Lane::Arm | Lane::Token | Lane::Data | Lane::Control => arm::answer(sim, call),
    };
    budget_headers(reply, lane, &scope, verdict, cost)
}

fn throttled(lane: Lane) -> Reply {
    match lane {
        Lane::Arg => Reply::error(
            429,
            "RateLimiting",
            "Please provide below info when asking for support. Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed.",
        ),
        Lane::Graph => Reply::error(429, "TooManyRequests", "Too many requests."),
        Lane::Arm | Lane::Token | Lane::Data | Lane::Control => Reply::error(
            429,
            "TooManyRequests",
            "The request is being throttled as the limit has been reached for the subscription or tenant.",
        ),
    }
}

fn budget_headers(reply: Reply, lane: Lane, scope: &str, verdict: Verdict, cost: u64) -> Reply {
    match lane {
        Lane::Arg => {
            let seconds = verdict.wait_ms.div_ceil(1_000);
            let after = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
            reply
                .with("x-ms-user-quota-remaining", verdict.remaining.to_string())
                .with("x-ms-user-quota-resets-after", after)
        }
        Lane::Graph => reply.with("x-ms-resource-unit", cost.to_string()),
        Lane::Arm if scope == "tenant" => {
            reply.with("x-ms-ratelimit-remaining-tenant-reads", verdict.remaining.to_string())
        }
        Lane::Arm => reply.with(
            "x-ms-ratelimit-remaining-subscription-reads",
            verdict.remaining.to_string(),
        ),
        Lane::Token | Lane::Data | Lane::Control => reply,
    }
}

/// Puts another tenant's id wherever this one's stands.
fn make_foreign(sim: &Sim, reply: &mut Reply) {
    let text = tables::replace_ignoring_case(&reply.body.to_string(), &sim.tenant(), &sim.foreign_tenant());
    if let Ok(body) = serde_json::from_str(&text) {
        reply.body = body;
        reply.sent = None;
    }
}
