//! The files of rows, embedded. A new file gets a line here.

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        /// Name and text of each file.
        pub(super) static FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../data/azurerm/", $name, ".toml")))),+];
    };
}

/// What is another attribute in version 4 of the provider.
pub(super) static DIFFERENCES_4: &str = include_str!("../../data/azurerm-4.toml");

files!(
    "base",
    "compute",
    "containers",
    "data",
    "integration",
    "load_balancer",
    "network",
    "platform",
    "storage",
    "web"
);
