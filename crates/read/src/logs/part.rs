//! What the columns of log lines hold.

/// A part of a request or its answer that a log names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Date and time in one.
    Time,
    /// The date alone.
    Date,
    /// The time of day alone.
    Clock,
    /// The client's address or name.
    Client,
    /// The client's address with its port behind a colon.
    ClientEndpoint,
    /// The client's port.
    ClientPort,
    /// The server's own address.
    Server,
    /// The server's own port.
    ServerPort,
    /// The user that the client claimed to be.
    User,
    /// The request line.
    Request,
    /// The method.
    Method,
    /// The target with its query.
    Target,
    /// The target without its query.
    Path,
    /// The query, with or without its question mark.
    Query,
    /// `HTTP/1.1`, `1.1`, `HTTP/2`.
    Version,
    /// The status code.
    Status,
    /// IIS: the 3 of 401.3.
    Substatus,
    /// IIS: the Windows error behind it.
    Win32,
    /// Bytes of the answer.
    Bytes,
    /// The `Host` field or the name of the virtual host, port included if there is one.
    Host,
    /// `http` or `https`.
    Scheme,
    /// The `Referer` field.
    Referer,
    /// The `User-Agent` field.
    Agent,
    /// What the server says of the outcome: a termination state, a result code, a reason.
    Remark,
    /// A number that the requests of one connection share.
    Connection,
    /// The server behind a proxy that it passed the request on to.
    Upstream,
}

impl Part {
    /// How many there are.
    pub(crate) const COUNT: usize = Part::Upstream as usize + 1;
}

/// What a column means to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// A part that every log may have.
    Part(Part),
    /// A field of the request, by its name.
    RequestField(Box<str>),
    /// A field of the response, by its name.
    ResponseField(Box<str>),
    /// Nothing.
    Other,
}

impl Column {
    /// The column of a request field; fields that have a part of their own are that part.
    pub(crate) fn request_field(name: &str) -> Column {
        match name.to_ascii_lowercase().as_str() {
            "user-agent" => Column::Part(Part::Agent),
            "referer" | "referrer" => Column::Part(Part::Referer),
            "host" | ":authority" => Column::Part(Part::Host),
            ":method" => Column::Part(Part::Method),
            ":path" => Column::Part(Part::Target),
            _ => Column::RequestField(name.into()),
        }
    }
}
