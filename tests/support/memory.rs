//! How much memory a process has used.

/// The peak of a process, by its number or `self`, in MiB; 0 where it cannot be read. Source: proc(5), `VmHWM`.
pub fn peak_mib(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or_default() / 1024
}
