//! The one thread that writes: it takes all messages that wait, appends them, syncs once, and tells everybody.

use super::frame::{self, Header};
use super::index::{Index, Seen};
use super::{Failure, Job, Message, Stored, segment, segments};
use crate::config;
use crate::files;
use crate::refusal;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// So much is written before it is synced.
const BATCH: usize = 8 << 20;

pub(super) struct Writer {
    folder: PathBuf,
    most: u64,
    remember: i64,
    number: u64,
    file: File,
    /// How much of the file is good.
    length: u64,
    index: Index,
    _lock: File,
}

impl Writer {
    pub(super) fn open(config: &config::Inbox) -> Result<Writer, String> {
        let folder = config.folder.clone();
        let lock = files::lock(&folder.join("gate.lock"), Duration::ZERO)?;
        let mut index = Index::default();
        let since = jiff::Timestamp::now().as_second() - config.remember_keys;
        let (mut number, mut length) = (1, 0);
        for (n, path) in segments(&folder)? {
            let file = File::open(&path).map_err(files::cannot("read", &path))?;
            let size = file.metadata().map_err(files::cannot("read", &path))?.len();
            let mut reader = BufReader::new(file);
            (number, length) = (n, 0);
            while let Some(frame) = frame::read(&mut reader, size - length) {
                length += frame.size;
                let Header { key, receipt, content, time, .. } = frame.header;
                if let Some(key) = key.filter(|_| time.as_second() >= since) {
                    index.add(key, Seen { receipt, content }, time.as_second(), since);
                }
            }
        }
        let path = segment(&folder, number);
        let file = files::private().append(true).open(&path).map_err(files::cannot("write", &path))?;
        // What stands behind the last whole frame was never acknowledged.
        file.set_len(length).map_err(files::cannot("write", &path))?;
        file.sync_all().map_err(files::cannot("write", &path))?;
        files::sync_folder(&path).map_err(files::cannot("write", &path))?;
        let (most, remember) = (config.segment, config.remember_keys);
        Ok(Writer { folder, most, remember, number, file, length, index, _lock: lock })
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            let mut size = 0;
            while size < BATCH
                && batch.len() < 1024
                && let Ok(job) = jobs.try_recv()
            {
                size += job.message.body.len();
                batch.push(job);
            }
            self.batch(batch);
        }
    }

    fn batch(&mut self, jobs: Vec<Job>) {
        let mut bytes = Vec::new();
        let mut fresh: HashMap<String, (Seen, i64)> = HashMap::new();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let outcome = self.prepare(&job.message, &mut fresh, &mut bytes);
            outcomes.push((job.done, outcome));
        }
        let written = if bytes.is_empty() { Ok(()) } else { self.append(&bytes) };
        if written.is_ok() {
            for (key, (seen, time)) in fresh {
                self.index.add(key, seen, time, time - self.remember);
            }
        }
        for (done, outcome) in outcomes {
            let known = matches!(&outcome, Ok((_, known)) if *known);
            let outcome = match (&written, outcome) {
                (Err(says), Ok(_)) if !known => Err(Failure::Other(says.clone())),
                (_, outcome) => outcome.map(|(stored, _)| stored),
            };
            let _ = done.send(outcome);
        }
    }

    /// Adds the frame of a message that is new; the flag tells whether it was durable before this batch.
    fn prepare(
        &self,
        message: &Message,
        fresh: &mut HashMap<String, (Seen, i64)>,
        bytes: &mut Vec<u8>,
    ) -> Result<(Stored, bool), Failure> {
        let content = frame::hash(&[message.target.as_bytes(), &message.body]);
        let key = message.key.as_ref().map(|k| frame::hash(&[message.account.as_bytes(), k]));
        if let Some(key) = &key {
            let durable = self.index.get(key);
            if let Some(seen) = durable.or_else(|| fresh.get(key).map(|(seen, _)| seen)) {
                if seen.content != content {
                    return Err(Failure::KeyReused);
                }
                return Ok((Stored { receipt: seen.receipt.clone(), is_new: false }, durable.is_some()));
            }
        }
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Failure::Other("no random numbers".to_owned()))?;
        let receipt = refusal::reference(u64::from_be_bytes(random));
        let header = Header {
            receipt: receipt.clone(),
            time: message.time,
            account: message.account.clone(),
            target: message.target.clone(),
            content_type: message.content_type.clone(),
            key: key.clone(),
            content: content.clone(),
        };
        frame::write(&header, &message.body, bytes).map_err(Failure::Other)?;
        if let Some(key) = key {
            let seen = Seen { receipt: receipt.clone(), content };
            fresh.insert(key, (seen, message.time.as_second()));
        }
        Ok((Stored { receipt, is_new: true }, false))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        if self.length > 0 && self.length + bytes.len() as u64 > self.most {
            self.next_segment()?;
        }
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => {
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(e) => {
                // Whatever reached the file is taken back: nobody has a receipt for it.
                let _ = self.file.set_len(self.length).and_then(|()| self.file.sync_all());
                Err(format!("the message cannot be written: {e}"))
            }
        }
    }

    fn next_segment(&mut self) -> Result<(), String> {
        let path = segment(&self.folder, self.number + 1);
        let open = || -> std::io::Result<File> {
            let file = files::private().append(true).open(&path)?;
            file.sync_all()?;
            files::sync_folder(&path)?;
            Ok(file)
        };
        self.file = open().map_err(files::cannot("write", &path))?;
        self.number += 1;
        self.length = 0;
        Ok(())
    }
}
