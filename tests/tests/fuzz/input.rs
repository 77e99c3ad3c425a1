//! Inputs and how they are changed.

use crate::dice::Dice;

/// No changed input gets longer than this, in bytes.
const LONGEST: usize = 9 << 20;

/// The content of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) bytes: Vec<u8>,
    /// The length of the file; what is behind the bytes is a hole.
    pub(crate) length: u64,
}

impl Input {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { length: bytes.len() as u64, bytes }
    }

    /// Overwrites; the file grows where it must.
    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at.saturating_add(bytes.len());
        if end > LONGEST {
            return;
        }
        if end > self.bytes.len() {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
        self.length = self.length.max(end as u64);
    }

    /// `N` bytes, zeros where there are none.
    pub(crate) fn get<const N: usize>(&self, at: u64) -> [u8; N] {
        let tail = usize::try_from(at).ok().and_then(|at| self.bytes.get(at..));
        tail.and_then(|tail| tail.first_chunk()).copied().unwrap_or([0; N])
    }
}

/// A number in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) at: usize,
    /// In bytes, at most 8.
    pub(crate) width: usize,
    pub(crate) big_endian: bool,
}

impl Field {
    pub(crate) fn write(self, number: u64, input: &mut Input) {
        match self.big_endian {
            true => input.put(self.at, &number.to_be_bytes()[8 - self.width..]),
            false => input.put(self.at, &number.to_le_bytes()[..self.width]),
        }
    }
}

/// What is known of a format besides good examples.
pub(crate) enum Grammar {
    /// Numbers at places, some of which are checksums of others.
    Binary {
        /// The numbers of an input, found by its own tables.
        fields: fn(&Input) -> Vec<Field>,
        /// Makes the checksums right again, so that readers come further.
        repair: fn(&mut Input),
    },
    /// Words worth writing anywhere.
    Text(Vec<String>),
}

/// Makes an input out of good ones.
pub(crate) fn made(dice: &mut Dice, seeds: &[Input], grammar: &Grammar) -> Input {
    let mut input = dice.pick(seeds).clone();
    for _ in 0..=dice.below(5) {
        match grammar {
            Grammar::Binary { fields, .. } if !dice.one_in(4) => {
                let fields = fields(&input);
                change_number(dice, &mut input, &fields);
            }
            Grammar::Text(words) if !dice.one_in(3) => change_text(dice, &mut input, words),
            _ => change_bytes(dice, &mut input, seeds),
        }
    }
    match grammar {
        Grammar::Binary { repair, .. } if !dice.one_in(4) => repair(&mut input),
        Grammar::Binary { .. } => {}
        Grammar::Text(_) => input.length = input.bytes.len() as u64,
    }
    input
}

fn change_number(dice: &mut Dice, input: &mut Input, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    let field = *dice.pick(fields);
    let old = input.get::<8>(field.at as u64);
    let old =
        if field.big_endian { u64::from_be_bytes(old) >> (64 - 8 * field.width) } else { u64::from_le_bytes(old) };
    let number = match dice.below(6) {
        0 => old ^ (1 << dice.below(8 * field.width)),
        1 => old.wrapping_add(dice.below(3) as u64).wrapping_sub(1),
        2 => old.wrapping_mul(2 + dice.below(3) as u64),
        3 => {
            let other = *dice.pick(fields);
            u64::from_be_bytes(input.get(other.at as u64)) >> (64 - 8 * other.width)
        }
        4 => input.length.wrapping_add(dice.below(1025) as u64).wrapping_sub(512),
        _ => dice.number(),
    };
    field.write(number, input);
}

/// A stretch of the input.
fn stretch(dice: &mut Dice, input: &Input) -> std::ops::Range<usize> {
    let start = dice.below(input.bytes.len());
    let longest = *dice.pick(&[4, 16, 64, 512, 4096]);
    start..input.bytes.len().min(start + 1 + dice.below(longest))
}

fn change_bytes(dice: &mut Dice, input: &mut Input, seeds: &[Input]) {
    if input.bytes.is_empty() {
        return input.put(0, &[0]);
    }
    let place = stretch(dice, input);
    match dice.below(9) {
        0 => input.bytes[place.start] ^= 1 << dice.below(8),
        1 => input.bytes[place].fill(*dice.pick(&[0, 0xff, b'a', 1])),
        2 => {
            let piece = input.bytes[place].to_vec();
            let at = dice.below(input.bytes.len());
            input.put(at, &piece);
        }
        3 => drop(input.bytes.drain(place)),
        4 => {
            let piece = input.bytes[place.clone()].to_vec();
            input.bytes.splice(place.start..place.start, piece);
        }
        5 => input.bytes.truncate(place.start),
        6 => {
            let other = dice.pick(seeds);
            let from = dice.below(other.bytes.len());
            let piece: Vec<u8> = other.bytes.iter().skip(from).take(1 + dice.below(2048)).copied().collect();
            input.put(place.start, &piece);
        }
        7 => {
            for byte in &mut input.bytes[place] {
                *byte = dice.roll() as u8;
            }
        }
        // A longer file, all of it a hole: what sparse files can promise.
        _ => return input.length = input.length.max(dice.number() >> (22 + dice.below(24))),
    }
    if input.length < 1 << 24 {
        input.length = input.bytes.len() as u64;
    }
    input.length = input.length.max(input.bytes.len() as u64);
}

fn change_text(dice: &mut Dice, input: &mut Input, words: &[String]) {
    let text = &mut input.bytes;
    let at = dice.below(text.len() + 1);
    match dice.below(5) {
        0 => drop(text.splice(at..at, dice.pick(words).bytes())),
        1 => {
            let word = dice.pick(words).clone();
            let end = text.len().min(at + dice.below(word.len() + 1));
            text.splice(at..end, word.bytes());
        }
        2 => {
            let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            let line = lines.get(dice.below(lines.len())).map(|line| line.to_vec()).unwrap_or_default();
            text.splice(at..at, line);
        }
        3 => {
            let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            if !lines.is_empty() {
                lines.remove(dice.below(lines.len()));
            }
            *text = lines.concat();
        }
        // The same thing very often: depth, and lists without end.
        _ => {
            let piece = dice.pick(words).repeat(1 << dice.below(14));
            let piece = piece.get(..piece.len().min(LONGEST)).unwrap_or_default();
            if text.len() + piece.len() <= LONGEST {
                text.splice(at..at, piece.bytes());
            }
        }
    }
}
