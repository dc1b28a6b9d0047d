//! The constraints and indexes, step by step.
//!
//! A `MERGE` needs the unique constraint of its key: without one it makes duplicates under load. Statements are
//! written so that they change nothing the second time. Never change a step that was released.

use super::migrations::Migration;

/// All steps, in order.
pub(super) const STEPS: &[Migration] = &[
    Migration {
        number: 1,
        name: "graph",
        statements: &[
            "CREATE CONSTRAINT entity_key IF NOT EXISTS FOR (x:Entity) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT tombstone_key IF NOT EXISTS FOR (x:Tombstone) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT listed_key IF NOT EXISTS FOR (x:Listed) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT alias_key IF NOT EXISTS FOR (x:Alias) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT lookup_key IF NOT EXISTS FOR (x:Lookup) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT tenant_id IF NOT EXISTS FOR (x:TenantRecord) REQUIRE x.id IS UNIQUE",
            "CREATE CONSTRAINT scan_id IF NOT EXISTS FOR (x:Scan) REQUIRE x.id IS UNIQUE",
            "CREATE CONSTRAINT ledger_entry_key IF NOT EXISTS FOR (x:LedgerEntry) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT ledger_part_key IF NOT EXISTS FOR (x:LedgerPart) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT change_key IF NOT EXISTS FOR (x:Change) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT cache_key IF NOT EXISTS FOR (x:Cache) REQUIRE x.key IS UNIQUE",
            "CREATE INDEX entity_type IF NOT EXISTS FOR (x:Entity) ON (x.tenant_id, x.type)",
            "CREATE INDEX entity_subscription IF NOT EXISTS FOR (x:Entity) ON (x.tenant_id, x.subscription_id)",
            "CREATE INDEX entity_kind IF NOT EXISTS FOR (x:Entity) ON (x.tenant_id, x.kind)",
            "CREATE INDEX entity_name IF NOT EXISTS FOR (x:Entity) ON (x.tenant_id, x.kind, x.name)",
            "CREATE INDEX entity_owner IF NOT EXISTS FOR (x:Entity) ON (x.owner, x.gen)",
            "CREATE INDEX tombstone_gone IF NOT EXISTS FOR (x:Tombstone) ON (x.tenant_id, x.gone_at)",
            "CREATE INDEX listed_collection IF NOT EXISTS FOR (x:Listed) ON (x.collection, x.gen)",
            "CREATE INDEX listed_by IF NOT EXISTS FOR (x:Listed) ON (x.by)",
            "CREATE INDEX alias_alias IF NOT EXISTS FOR (x:Alias) ON (x.alias)",
            "CREATE INDEX alias_of IF NOT EXISTS FOR (x:Alias) ON (x.of)",
            "CREATE INDEX lookup_alias IF NOT EXISTS FOR (x:Lookup) ON (x.alias)",
            "CREATE INDEX lookup_by IF NOT EXISTS FOR (x:Lookup) ON (x.by)",
            "CREATE INDEX scan_tenant IF NOT EXISTS FOR (x:Scan) ON (x.tenant_id)",
            "CREATE INDEX ledger_entry_scan IF NOT EXISTS FOR (x:LedgerEntry) ON (x.scan)",
            "CREATE INDEX ledger_part_entry IF NOT EXISTS FOR (x:LedgerPart) ON (x.entry)",
            "CREATE INDEX change_generation IF NOT EXISTS FOR (x:Change) ON (x.tenant_id, x.gen)",
            "CREATE INDEX cache_tenant IF NOT EXISTS FOR (x:Cache) ON (x.tenant_id)",
        ],
    },
    Migration {
        number: 2,
        name: "jobs",
        statements: &[
            "CREATE CONSTRAINT job_id IF NOT EXISTS FOR (x:Job) REQUIRE x.id IS UNIQUE",
            "CREATE CONSTRAINT job_event_key IF NOT EXISTS FOR (x:JobEvent) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT job_queue_id IF NOT EXISTS FOR (x:JobQueue) REQUIRE x.id IS UNIQUE",
            "CREATE CONSTRAINT idempotency_key IF NOT EXISTS FOR (x:Idempotency) REQUIRE x.key IS UNIQUE",
            "CREATE INDEX job_stage IF NOT EXISTS FOR (x:Job) ON (x.stage)",
            "CREATE INDEX job_created IF NOT EXISTS FOR (x:Job) ON (x.created_at, x.k)",
            "CREATE INDEX job_completed IF NOT EXISTS FOR (x:Job) ON (x.completed_at)",
            "CREATE INDEX job_key IF NOT EXISTS FOR (x:Job) ON (x.key_prefix, x.created_at)",
            "CREATE INDEX idempotency_made IF NOT EXISTS FOR (x:Idempotency) ON (x.made_at)",
        ],
    },
    Migration {
        number: 3,
        name: "keys",
        statements: &[
            "CREATE CONSTRAINT api_key_prefix IF NOT EXISTS FOR (x:ApiKey) REQUIRE x.prefix IS UNIQUE",
            "CREATE CONSTRAINT key_revision_id IF NOT EXISTS FOR (x:KeyRevision) REQUIRE x.id IS UNIQUE",
            "CREATE INDEX api_key_name IF NOT EXISTS FOR (x:ApiKey) ON (x.name)",
        ],
    },
    Migration {
        number: 4,
        name: "replicas",
        statements: &[
            "CREATE CONSTRAINT request_window_key IF NOT EXISTS FOR (x:RequestWindow) REQUIRE x.key IS UNIQUE",
            "CREATE CONSTRAINT ticket_digest IF NOT EXISTS FOR (x:Ticket) REQUIRE x.digest IS UNIQUE",
            "CREATE CONSTRAINT ticket_box_id IF NOT EXISTS FOR (x:TicketBox) REQUIRE x.id IS UNIQUE",
            "CREATE INDEX ticket_expires IF NOT EXISTS FOR (x:Ticket) ON (x.expires_at)",
        ],
    },
    Migration {
        number: 5,
        name: "moving",
        statements: &[
            "CREATE CONSTRAINT unfinished_import_id IF NOT EXISTS FOR (x:UnfinishedImport) REQUIRE x.id IS UNIQUE",
        ],
    },
];
