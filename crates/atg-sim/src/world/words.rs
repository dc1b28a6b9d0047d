//! Words and numbers that names are made of.

/// Region name, short form, weight of one in a hundred.
pub(crate) const REGIONS: [(&str, &str, u64); 16] = [
    ("westeurope", "weu", 30),
    ("northeurope", "neu", 20),
    ("eastus", "eus", 12),
    ("eastus2", "eu2", 8),
    ("westus2", "wu2", 5),
    ("centralus", "cus", 4),
    ("uksouth", "uks", 4),
    ("germanywestcentral", "gwc", 3),
    ("francecentral", "frc", 3),
    ("swedencentral", "sec", 2),
    ("switzerlandnorth", "szn", 2),
    ("southeastasia", "sea", 2),
    ("australiaeast", "aue", 2),
    ("japaneast", "jpe", 1),
    ("canadacentral", "cac", 1),
    ("brazilsouth", "brs", 1),
];

/// Workloads; at most eight letters, because the names of vaults and storage accounts are short.
pub(crate) const STEMS: [&str; 40] = [
    "payments", "orders", "billing", "crm", "catalog", "pricing", "loyalty", "search", "shipping", "invoice",
    "identity", "portal", "intranet", "hr", "payroll", "claims", "policy", "quotes", "ledger", "treasury", "risk",
    "fraud", "reports", "insights", "archive", "media", "mobile", "partner", "supplier", "stock", "sensors", "fleet",
    "booking", "tickets", "campaign", "survey", "learning", "wiki", "legal", "audit",
];

/// Environments; three letters each.
pub(crate) const ENVIRONMENTS: [&str; 4] = ["prd", "tst", "dev", "stg"];

/// First names.
pub(crate) const FIRST: [&str; 24] = [
    "Amara", "Björn", "Chiara", "Diego", "Elif", "Farid", "Grace", "Hana", "Ines", "Jonas", "Keiko", "Liam", "Maya",
    "Noah", "Olga", "Priya", "Quentin", "Rosa", "Sven", "Tariq", "Uma", "Viktor", "Wei", "Zoë",
];

/// Family names.
pub(crate) const LAST: [&str; 24] = [
    "Andersen",
    "Becker",
    "Costa",
    "Dubois",
    "Eriksson",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Brien",
    "Patel",
    "Quispe",
    "Rossi",
    "Schmidt",
    "Tanaka",
    "Usman",
    "Vasquez",
    "Weber",
    "Yılmaz",
];

/// Departments.
pub(crate) const DEPARTMENTS: [&str; 8] = [
    "Engineering",
    "Finance",
    "Human Resources",
    "IT Operations",
    "Legal",
    "Marketing",
    "Sales",
    "Security",
];

/// An item of a list, by any number.
pub(crate) fn pick<T: Copy>(list: &[T], number: u64) -> Option<T> {
    let len = crate::seeded::wide(list.len());
    let at = number.checked_rem(len)?;
    list.get(crate::seeded::narrow(at)).copied()
}

/// A region by its weight.
pub(crate) fn region(number: u64) -> (&'static str, &'static str) {
    let mut left = number % 100;
    for (name, short, weight) in REGIONS {
        if left < weight {
            return (name, short);
        }
        left -= weight;
    }
    ("westeurope", "weu")
}
