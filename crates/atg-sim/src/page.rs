//! Pages of a list: where one starts and ends, its cursor, and the faults that befall pages.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base64url;
use crate::call::Lane;
use crate::fault::FaultKind;
use crate::sim::Sim;

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where the next one starts.
    pub(crate) next: Option<usize>,
    /// Its rows come in another order.
    pub(crate) reordered: bool,
    /// It speaks of another tenant.
    pub(crate) foreign: bool,
}

/// Why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorError {
    /// Not of this list, or not of this simulator.
    Wrong,
    /// Too old.
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    /// What it continues.
    of: String,
    at: usize,
    /// When it was given.
    ms: u64,
}

/// The page at `start` of a list of `total` items, `size` at the most, after its faults.
pub(crate) fn page(sim: &Sim, lane: Lane, path_lower: &str, total: usize, start: usize, size: usize) -> Page {
    let start = start.min(total);
    let size = size.max(1);
    let end = start.saturating_add(size).min(total);
    let next = (end < total).then_some(end);
    let mut page = Page {
        start,
        end,
        next,
        reordered: false,
        foreign: false,
    };
    let strikes = |kind| sim.strikes(kind, lane, path_lower).is_some();
    if start > 0 && strikes(FaultKind::PageRepeated) {
        page = Page {
            start: start.saturating_sub(size),
            end: start,
            next: Some(start),
            ..page
        };
    }
    if next.is_some() && strikes(FaultKind::PageMissing) {
        let later = end.saturating_add(size).min(total);
        page = Page {
            start: end,
            end: later,
            next: (later < total).then_some(later),
            ..page
        };
    }
    if page.end.saturating_sub(page.start) > 1 && strikes(FaultKind::PageReordered) {
        page.reordered = true;
    }
    if start > 0 && strikes(FaultKind::TenantChanged) {
        page.foreign = true;
    }
    if next.is_some() && strikes(FaultKind::NextLinkLoop) {
        page.next = Some(start);
    }
    page
}

/// An opaque cursor of a list.
pub(crate) fn cursor(sim: &Sim, of: &str, at: usize) -> String {
    let cursor = Cursor {
        of: digest(&sim.secret, of),
        at,
        ms: sim.now_ms(),
    };
    let payload = serde_json::to_vec(&cursor).unwrap_or_default();
    let body = base64url::encode(&payload);
    let signature = digest(&sim.secret, &body);
    format!("{body}.{signature}")
}

/// Where a cursor of this list leads.
pub(crate) fn position(sim: &Sim, of: &str, token: &str) -> Result<usize, CursorError> {
    let (body, signature) = token.split_once('.').ok_or(CursorError::Wrong)?;
    if digest(&sim.secret, body) != signature {
        return Err(CursorError::Wrong);
    }
    let payload = base64url::decode(body).ok_or(CursorError::Wrong)?;
    let cursor: Cursor = serde_json::from_slice(&payload).map_err(|_| CursorError::Wrong)?;
    if cursor.of != digest(&sim.secret, of) {
        return Err(CursorError::Wrong);
    }
    let age_ms = sim.now_ms().saturating_sub(cursor.ms);
    if age_ms >= sim.config.skip_token_ttl_s.saturating_mul(1_000) {
        return Err(CursorError::Expired);
    }
    Ok(cursor.at)
}

fn digest(secret: &str, text: &str) -> String {
    let hash = Sha256::digest(format!("{secret}\0{text}"));
    base64url::encode(hash.get(..12).unwrap_or_default())
}
