//! All that is known of each lane as bytes, and shared out by client.

use super::open::ByRow;
use super::{Elsewhere, GROUPS, Kept, Lanes, MOST, Row, Sample, Texts, Whose, elsewhere, number};
use crate::event::Spot;
use crate::wire::{In, Key, Malformed, Wire};

/// One after the other, each with all that is known of it.
impl Wire for Lanes {
    fn put(&self, out: &mut Vec<u8>) {
        (self.keeps_text, self.dropped).put(out);
        (self.rows.len() as u64).put(out);
        let mut elsewhere: Vec<&Elsewhere> = self.elsewhere.iter().collect();
        elsewhere.sort_by_key(|e| e.of / GROUPS);
        let mut elsewhere = elsewhere.into_iter().peekable();
        let mut texts = self.texts.iter();
        let by_row = ByRow::new(self.places.clone(), self.rows.len());
        for (nth, (row, whose)) in self.rows.iter().zip(&self.whose).enumerate() {
            [row.key, whose.client, whose.name].iter().for_each(|key| Key(*key).put(out));
            ((row.seen, row.let_in), (row.refused, row.groups)).put(out);
            (whose.first, row.kept.last().copied()).put(out);
            if self.keeps_text {
                let own = texts.next();
                own.into_iter().flatten().for_each(|text| put_text(text, out));
            }
            let own: Vec<_> =
                std::iter::from_fn(|| elsewhere.next_if(|e| e.of / GROUPS == number(nth))).collect();
            (own.len() as u64).put(out);
            for e in own {
                (e.of % GROUPS, e.spot).put(out);
                let text = (e.text as usize).checked_sub(1).and_then(|t| self.elsewhere_texts.get(t));
                put_text(text.map_or(&[], |t| t), out);
            }
            self.put_open(&by_row, nth, out);
        }
    }

    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let (keeps_text, dropped) = Wire::get(from)?;
        let mut lanes = Lanes { dropped, ..Lanes::new(keeps_text) };
        let mut all = dropped.1;
        for _ in 0..u64::get(from)? {
            let (Key(key), (Key(client), Key(name))) = Wire::get(from)?;
            let ((seen, let_in), (refused, groups)) = Wire::get(from)?;
            let (first, last) = <(Option<Spot>, Option<Spot>)>::get(from)?;
            let kept = last.map_or(Kept::Open(Sample::EMPTY), Kept::Last);
            all = u64::saturating_add(all, seen);
            if all > crate::wire::MOST || lanes.rows.len() >= MOST || lanes.find(key).is_some() {
                return Err(Malformed);
            }
            let texts = match keeps_text {
                true => [Box::<[u8]>::get(from)?.into_vec(), Box::<[u8]>::get(from)?.into_vec()],
                false => Texts::default(),
            };
            let row = Row { key, seen, let_in, refused, groups, kept };
            let at = lanes.push(row, Whose { client, name, first }, texts);
            for _ in 0..u64::get(from)? {
                let (group, spot) = <(u32, Spot)>::get(from)?;
                let text = Some(Box::<[u8]>::get(from)?).filter(|text| !text.is_empty());
                if group >= GROUPS {
                    return Err(Malformed);
                }
                lanes.elsewhere.push(elsewhere(at, group, spot, text, &mut lanes.elsewhere_texts));
            }
            lanes.get_open(at, from)?;
        }
        Ok(lanes)
    }
}

pub(super) fn put_text(text: &[u8], out: &mut Vec<u8>) {
    (text.len() as u64).put(out);
    out.extend_from_slice(text);
}

impl Lanes {
    /// Those of each lot of clients; what was let go is told by the first.
    pub(crate) fn lots(mut self, count: u64) -> Vec<Lanes> {
        self.drop_left();
        let mut lots: Vec<Lanes> = (0..count).map(|_| Lanes::new(self.keeps_text)).collect();
        if let Some(first) = lots.first_mut() {
            first.dropped = self.dropped;
        }
        let mut moved = Vec::with_capacity(self.rows.len());
        let mut texts = self.texts.into_iter();
        for (row, whose) in self.rows.into_iter().zip(self.whose) {
            let texts = texts.next().unwrap_or_default();
            let lot = (whose.client % count.max(1)) as usize;
            moved.push((lot, lots.get_mut(lot).map_or(0, |lot| lot.push(row, whose, texts))));
        }
        let mut their_texts = self.elsewhere_texts;
        for e in self.elsewhere {
            let Some((lot, at)) = moved.get((e.of / GROUPS) as usize) else { continue };
            let Some(lot) = lots.get_mut(*lot) else { continue };
            let text =
                (e.text as usize).checked_sub(1).and_then(|t| their_texts.get_mut(t)).map(std::mem::take);
            let e = elsewhere(*at, e.of % GROUPS, e.spot, text, &mut lot.elsewhere_texts);
            lot.elsewhere.push(e);
        }
        self.places.share(|row| moved.get(row).copied(), &mut lots);
        lots
    }
}
