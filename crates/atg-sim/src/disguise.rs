//! The casing in which ids are shown, and the order of rows that nothing orders.

use serde_json::Value;

use crate::seeded;

/// Recases every ARM id in a body, keys included; each place gets a casing of its own.
pub(crate) fn recase(body: &mut Value, seed: u64) {
    match body {
        Value::String(text) => {
            if is_arm_id(text) {
                *text = cased(text, seed);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                recase(item, seeded::pair(seed, seeded::wide(index)));
            }
        }
        Value::Object(map) => {
            if map.keys().any(|key| is_arm_id(key)) {
                let old = std::mem::take(map);
                map.extend(old.into_iter().map(|(key, value)| {
                    let key = if is_arm_id(&key) { cased(&key, seed) } else { key };
                    (key, value)
                }));
            }
            for (key, value) in map.iter_mut() {
                recase(value, seeded::hash(seed, key));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Recases a text, letter by letter in segments: most segments keep their casing, some turn to
/// lower case, some to upper case, some to a mixture, as ids from different services do.
pub(crate) fn cased(text: &str, seed: u64) -> String {
    let parts: Vec<String> = text
        .split('/')
        .enumerate()
        .map(|(index, segment)| {
            let number = seeded::hash(seeded::pair(seed, seeded::wide(index)), &segment.to_ascii_lowercase());
            match number % 4 {
                0 => segment.to_ascii_lowercase(),
                1 => segment.to_ascii_uppercase(),
                2 => segment
                    .chars()
                    .enumerate()
                    .map(|(at, letter)| {
                        if seeded::pair(number, seeded::wide(at)).is_multiple_of(2) {
                            letter.to_ascii_lowercase()
                        } else {
                            letter.to_ascii_uppercase()
                        }
                    })
                    .collect(),
                _ => segment.to_owned(),
            }
        })
        .collect();
    parts.join("/")
}

/// Puts items in an order of the seed; the same items get the same order.
pub(crate) fn permute<T>(items: &mut [T], seed: u64, label: impl Fn(&T) -> u64) {
    items.sort_by_cached_key(|item| seeded::pair(seed, label(item)));
}

fn is_arm_id(text: &str) -> bool {
    let starts = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    starts("/subscriptions/") || starts("/providers/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_casing_changes() {
        let body = json!({
            "id": "/subscriptions/s/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks/v",
            "identity": {"userAssignedIdentities": {"/subscriptions/s/resourceGroups/Rg/providers/a.b/c/d": {}}},
            "name": "Keep Me",
            "list": ["/providers/Microsoft.Authorization/roleDefinitions/x", 4],
        });
        let mut changed = 0;
        for seed in 0..20 {
            let mut recased = body.clone();
            recase(&mut recased, seed);
            assert_eq!(recased.to_string().to_lowercase(), body.to_string().to_lowercase());
            assert_eq!(recased["name"], "Keep Me");
            changed += usize::from(recased != body);
        }
        assert!(changed > 15, "casings do change");
    }
}
