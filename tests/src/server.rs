//! A server on loopback that has files, and misbehaves on request.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, thread};

/// What the server does wrong with the next request for a path.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Breaks off after so many bytes of the body.
    Cut(usize),
    /// Falls silent after so many bytes, until the client goes away.
    Stall(usize),
    /// Answers with this status.
    Status(u16),
    /// Has other content of the same length.
    Other,
    /// Goes on after the end of the file.
    More,
    /// Ignores that a part was asked for.
    Whole,
    /// Says that the file is in another state than it says otherwise.
    State,
}

/// A request as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Path without the first slash.
    pub path: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `If-None-Match`.
    pub etag: Option<String>,
}

/// A server of a folder's files.
#[derive(Debug)]
pub struct Server {
    /// Where it is, without a slash at the end.
    pub url: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    folder: PathBuf,
    faults: Mutex<BTreeMap<String, Vec<Fault>>>,
    requests: Mutex<Vec<Request>>,
}

impl Server {
    /// Starts to serve.
    pub fn new(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            folder: folder.to_owned(),
            faults: Mutex::default(),
            requests: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                // A client that goes away is the test's business.
                thread::spawn(move || stream.ok().and_then(|stream| state.serve(&stream).ok()));
            }
        });
        Self { url, state }
    }

    /// Does something wrong with the next request whose path ends so.
    pub fn fail(&self, end: &str, fault: Fault) {
        self.state.faults.lock().unwrap().entry(end.to_owned()).or_default().push(fault);
    }

    /// All requests since the last time this was asked.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.state.requests.lock().unwrap())
    }
}

impl State {
    fn serve(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let path = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
        let mut request = Request { path, range: None, etag: None };
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            let value = Some(value.trim().to_owned());
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = value,
                "if-none-match" => request.etag = value,
                _ => {}
            }
        }
        self.requests.lock().unwrap().push(request.clone());
        let fault = self.fault(&request.path);
        let file = request.path.split('?').next().unwrap_or_default();
        let Ok(mut content) = fs::read(self.folder.join(file)) else {
            return write!(
                stream,
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        };
        let etag = match fault {
            Some(Fault::State) => "\"other\"".to_owned(),
            _ => format!("\"{}\"", content.len()),
        };
        if let Some(Fault::Status(status)) = fault {
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        if request.etag.as_ref() == Some(&etag) {
            return write!(
                stream,
                "HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\nConnection: close\r\n\r\n"
            );
        }
        let all = content.len();
        let range = request.range.and_then(|range| {
            let (start, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            let last = last.parse::<usize>().map_or(all, |last| last + 1).min(all);
            Some((start.parse::<usize>().ok()?, last))
        });
        let mut head = "HTTP/1.1 200 OK".to_owned();
        if let Some((start, end)) = range.filter(|_| !matches!(fault, Some(Fault::Whole))) {
            content = content[start..end].to_vec();
            head = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{all}",
                end - 1
            );
        }
        match fault {
            Some(Fault::Other) => content.iter_mut().for_each(|byte| *byte = !*byte),
            Some(Fault::More) => content.extend(vec![0; 100_000]),
            _ => {}
        }
        write!(
            stream,
            "{head}\r\nETag: {etag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            content.len()
        )?;
        match fault {
            Some(Fault::Cut(after)) => stream.write_all(&content[..after]),
            Some(Fault::Stall(after)) => {
                stream.write_all(&content[..after])?;
                stream.flush()?;
                // Ends when the client closes the connection.
                reader.read(&mut [0]).map(drop)
            }
            _ => stream.write_all(&content),
        }
    }

    fn fault(&self, path: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (_, list) = faults
            .iter_mut()
            .find(|(end, list)| path.ends_with(end.as_str()) && !list.is_empty())?;
        Some(list.remove(0))
    }
}
