//! Sizes, counts and times in words.

use std::time::Duration;

/// Bytes as people read them: `304 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut scale = 1024_u64;
    let mut chosen = "KiB";
    for unit in UNITS.into_iter().skip(1) {
        if bytes < scale.saturating_mul(1024) {
            break;
        }
        scale = scale.saturating_mul(1024);
        chosen = unit;
    }
    let (whole, rest) = (bytes / scale, bytes % scale);
    match rest.saturating_mul(10) / scale {
        tenth if whole < 10 && tenth > 0 => format!("{whole}.{tenth} {chosen}"),
        _ => format!("{whole} {chosen}"),
    }
}

/// A number with its noun: `1 image`, `2 images`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A duration as people read it: `3.2 s`, `4 min 7 s`.
pub(crate) fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{count, size, took};

    #[test]
    fn sizes_have_two_digits_and_a_unit() {
        let sizes = [0, 1023, 1024, 1536, 10 << 20, 304 << 20, (3 << 30) + (1 << 29), u64::MAX];
        assert_eq!(
            sizes.map(size),
            ["0 B", "1023 B", "1 KiB", "1.5 KiB", "10 MiB", "304 MiB", "3.5 GiB", "16777215 TiB"]
        );
    }

    #[test]
    fn one_is_singular_and_times_grow_coarser() {
        assert_eq!([0, 1, 2].map(|number| count(number, "image")), ["0 images", "1 image", "2 images"]);
        let times = [3, 247, 7300].map(Duration::from_secs).map(took);
        assert_eq!(times, ["3.0 s", "4 min 7 s", "2 h 1 min"]);
    }
}
