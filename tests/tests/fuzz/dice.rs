//! Chance that can be repeated, with a liking for the numbers at which programs break.

/// A generator of numbers: splitmix64, <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of one input of a run: the same for the same two numbers.
    pub(crate) fn new(seed: u64, case: u64) -> Self {
        let mut dice = Self(seed);
        dice.0 = dice.roll() ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        dice
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to but not including `end`; 0 when that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A number that is on the edge of something.
    pub(crate) fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => self.below(4) as u64,
            1 => u64::MAX - self.below(4) as u64,
            2 => self.roll(),
            3 => self.below(64) as u64 * 512,
            4 => i64::MAX as u64 + self.below(3) as u64 - 1,
            5 => self.below(1 << 16) as u64,
            // About a power of two.
            _ => (1_u64 << self.below(64)).wrapping_add(self.below(3) as u64).wrapping_sub(1),
        }
    }
}
