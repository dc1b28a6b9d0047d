//! The scan plan as data: sources, owners, partitions, and the plan made from what is known.
//!
//! Pure: what Azure said comes in as values.

mod make;
mod owner;
mod partition;
mod share;
mod sources;

pub(crate) use make::{Known, make};
pub(crate) use owner::owner;
pub(crate) use partition::{Slice, resources_only};
pub(crate) use share::{Group, Sharing, share};
pub(crate) use sources::{
    DIRECTORY, Directory, How, PerParent, RESOURCE_GROUPS, RESOURCES, ROLE_ASSIGNMENTS, SUBSCRIPTIONS, Source, source,
};
