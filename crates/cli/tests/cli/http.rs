//! Clients of HTTP: `fetch` and node:http, against a server of this process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::harness::{Folder, Run};

/// The head of a request, and its body.
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|&length| length > 0)?;
        let mut words = line.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut request = Self { method, path, headers, body: Vec::new() };
        if let Some(length) = request.header("content-length").map(|text| text.parse().unwrap()) {
            request.body.resize(length, 0);
            stream.read_exact(&mut request.body).ok()?;
        } else if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut size = String::new();
                stream.read_line(&mut size).ok()?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                let mut chunk = vec![0; size + 2];
                stream.read_exact(&mut chunk).ok()?;
                if size == 0 {
                    break;
                }
                request.body.extend_from_slice(&chunk[..size]);
            }
        }
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| &**value)
    }
}

fn respond(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", body.len()).as_bytes())?;
    stream.write_all(body)
}

/// "zipped", as gzip writes it.
const ZIPPED: &[u8] = &[31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 202, 44, 40, 72, 77, 1, 0, 87, 104, 194, 226, 6, 0, 0, 0];

fn serve(stream: TcpStream, connection: usize) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let request = Request::read(&mut reader)?;
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let result = match path {
            "/hello" => {
                respond(&mut stream, "200 OK", &[("X-A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], b"hello")
            }
            "/wrapped" => {
                let count = query.parse().ok()?;
                respond(&mut stream, "200 OK", &[("Content-Encoding", &*vec!["br"; count].join(","))], b"")
            }
            "/zipped" => respond(&mut stream, "200 OK", &[("Content-Encoding", "gzip")], ZIPPED),
            "/connection" => respond(&mut stream, "200 OK", &[], connection.to_string().as_bytes()),
            "/redirect" => {
                let (status, to) = query.split_once('-').unwrap_or(("302", "/hello"));
                respond(&mut stream, &format!("{status} Elsewhere"), &[("Location", to)], b"moved")
            }
            "/endless" => respond(&mut stream, "302 Found", &[("Location", "/endless")], b""),
            "/echo" => {
                let length = request.header("content-length").unwrap_or("none");
                let kind = request.header("content-type").unwrap_or("none");
                let authorization = request.header("authorization").unwrap_or("none");
                let told = format!("{} {length} {kind} {authorization}", request.method);
                respond(&mut stream, "200 OK", &[("X-Told", &told)], &request.body)
            }
            "/large" => respond(&mut stream, "200 OK", &[], &vec![7; 3 << 20]),
            // One part of the body, and then nothing.
            "/slow" => stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
            "/cut" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").ok()?;
                return None;
            }
            "/204" => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n"),
            _ => respond(&mut stream, "404 Not Found", &[], b"nothing"),
        };
        result.ok()?;
    }
}

/// A server that runs as long as the process does, and its address.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (connection, stream) in listener.incoming().flatten().enumerate() {
            std::thread::spawn(move || serve(stream, connection));
        }
    });
    address
}

fn run(script: &str) -> Run {
    let head = "import assert from 'node:assert';\nconst base = process.env.BASE;\n\
                const failure = (promise) => promise.then(() => assert.fail('was fulfilled'), (error) => error);\n";
    let folder = Folder::with("main.mjs", format!("{head}{script}\nconsole.log('end');\n"));
    let run = folder.run(["main.mjs"]).env("BASE", &server());
    // (The command reads the script when it runs.)
    std::mem::forget(folder);
    run
}

fn passes(script: &str) {
    run(script).outcome().exits(0).stdout("end\n").stderr("");
}

#[test]
fn fetch_gets_heads_and_bodies() {
    passes(
        "const response = await fetch(base + '/hello#part');
        assert.equal(response.status, 200);
        assert.equal(response.statusText, 'OK');
        assert.equal(response.url, base + '/hello');
        assert.equal(response.redirected, false);
        assert.equal(response.type, 'basic');
        assert.equal(response.headers.get('x-a'), '1');
        assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
        assert.throws(() => response.headers.set('a', 'b'), TypeError);
        assert.equal(await response.text(), 'hello');
        assert.equal(await (await fetch(base + '/zipped')).text(), 'zipped');
        assert.equal((await (await fetch(base + '/large')).arrayBuffer()).byteLength, 3 << 20);
        const none = await fetch(base + '/204');
        assert.equal(none.body, null);
        const head = await fetch(base + '/nothing', { method: 'HEAD' });
        assert.equal(head.status, 404);
        assert.equal(head.ok, false);",
    );
}

#[test]
fn fetch_sends_bodies_whole_and_in_parts() {
    passes(
        "const told = (response) => response.headers.get('x-told');
        let response = await fetch(base + '/echo', { method: 'POST', body: 'text' });
        assert.equal(told(response), 'POST 4 text/plain;charset=UTF-8 none');
        assert.equal(await response.text(), 'text');
        const parts = ReadableStream.from(['one ', 'two']).pipeThrough(new TextEncoderStream());
        response = await fetch(base + '/echo', { method: 'PUT', body: parts, duplex: 'half' });
        assert.equal(told(response), 'PUT none none none');
        assert.equal(await response.text(), 'one two');
        const form = new FormData();
        form.append('field', 'value');
        form.append('file', new Blob(['content']), 'name.txt');
        response = await fetch(base + '/echo', { method: 'POST', body: form });
        const back = await new Response(await response.blob(), { headers: { 'content-type': told(response).split(' ').slice(2, 4).join(' ') } }).formData();
        assert.equal(back.get('field'), 'value');
        assert.equal(back.get('file').name, 'name.txt');
        assert.equal(await back.get('file').text(), 'content');
        const broken = new ReadableStream({ pull() { throw new Error('broken'); } });
        assert.equal((await failure(fetch(base + '/echo', { method: 'POST', body: broken, duplex: 'half' }))).cause.message, 'broken');",
    );
}

#[test]
fn fetch_follows_redirects() {
    passes(
        "const response = await fetch(base + '/redirect');
        assert.equal(response.redirected, true);
        assert.equal(response.url, base + '/hello');
        assert.equal(await response.text(), 'hello');
        assert.equal((await fetch(base + '/redirect', { redirect: 'manual' })).status, 302);
        assert.equal((await failure(fetch(base + '/redirect', { redirect: 'error' }))).message, 'fetch failed');
        const post = { method: 'POST', body: 'text', headers: { authorization: 'secret' } };
        const told = async (status) => (await fetch(`${base}/redirect?${status}-/echo`, post)).headers.get('x-told');
        assert.equal(await told(307), 'POST 4 text/plain;charset=UTF-8 secret');
        assert.equal(await told(302), 'GET none none secret');
        assert.equal(await told(303), 'GET none none secret');
        const other = base.replace('127.0.0.1', 'localhost');
        const crossed = await fetch(`${base}/redirect?307-${other}/echo`, post);
        assert.equal(crossed.headers.get('x-told'), 'POST 4 text/plain;charset=UTF-8 none');
        const endless = await failure(fetch(base + '/endless'));
        assert.equal(endless.cause.message, 'redirect count exceeded');",
    );
}

#[test]
fn fetch_can_be_aborted() {
    passes(
        "const controller = new AbortController();
        const response = await fetch(base + '/slow', { signal: controller.signal });
        const reader = response.body.getReader();
        assert.deepEqual([...(await reader.read()).value], [97]);
        const pending = reader.read();
        controller.abort();
        assert.equal((await failure(pending)).name, 'AbortError');
        const why = new Error('why');
        assert.equal(await failure(fetch(base, { signal: AbortSignal.abort(why) })), why);
        const cancelled = await fetch(base + '/slow');
        await cancelled.body.cancel();",
    );
}

#[test]
fn failures_of_fetch_have_causes() {
    passes(
        "const refused = await failure(fetch('http://127.0.0.1:1/'));
        assert(refused instanceof TypeError);
        assert.equal(refused.message, 'fetch failed');
        assert.equal(refused.cause.code, 'ECONNREFUSED');
        assert.equal(refused.cause.message, 'connect ECONNREFUSED 127.0.0.1:1');
        assert.equal((await failure(fetch('http://name.invalid/'))).cause.code, 'ENOTFOUND');
        const cut = await fetch(base + '/cut');
        assert((await failure(cut.text())) instanceof TypeError);
        assert.equal((await failure(fetch(base.replace('http', 'https')))).message, 'fetch failed');",
    );
}

#[test]
fn connections_are_used_again() {
    passes(
        "const number = async () => (await fetch(base + '/connection')).text();
        const first = await number();
        assert.equal(await number(), first);
        const both = await Promise.all([number(), number()]);
        assert.notEqual(both[0], both[1]);",
    );
}

#[test]
fn a_response_that_is_not_read_does_not_hold_the_program() {
    passes("const response = await fetch(base + '/slow'); assert.equal(response.status, 200);");
}

#[test]
fn workers_fetch_and_can_be_terminated_meanwhile() {
    passes(
        "import { Worker } from 'node:worker_threads';
        const source = \"const { parentPort, workerData } = require('worker_threads'); fetch(workerData + '/slow')\"
          + \".then(async (response) => { parentPort.postMessage(response.status); await response.text(); });\";
        const worker = new Worker(source, { eval: true, workerData: base });
        const status = await new Promise((resolve, reject) => { worker.on('message', resolve); worker.on('error', reject); });
        assert.equal(status, 200);
        await worker.terminate();",
    );
}

#[test]
fn clients_of_node_http() {
    passes(
        "import http from 'node:http';
        import { once } from 'node:events';
        const text = async (response) => { let all = ''; for await (const chunk of response) all += chunk; return all; };
        const [response] = await once(http.get(base + '/hello'), 'response');
        assert.equal(response.statusCode, 200);
        assert.equal(response.statusMessage, 'OK');
        assert.equal(response.headers['x-a'], '1');
        assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2']);
        assert.equal(await text(response), 'hello');
        assert.equal(response.complete, true);
        const { hostname, port } = new URL(base);
        const post = http.request({ hostname, port, path: '/echo', method: 'POST', headers: { 'Content-Type': 'a/b' }, auth: 'u:p' });
        post.end('whole');
        const [whole] = await once(post, 'response');
        assert.equal(whole.headers['x-told'], 'POST 5 a/b Basic dTpw');
        assert.equal(await text(whole), 'whole');
        const parts = http.request(base + '/echo', { method: 'POST' });
        parts.write('one ');
        setTimeout(() => parts.end('two'), 5);
        const [joined] = await once(parts, 'response');
        assert.equal(joined.headers['x-told'], 'POST none none none');
        assert.equal(await text(joined), 'one two');
        const [moved] = await once(http.get(base + '/redirect'), 'response');
        assert.equal(moved.statusCode, 302);
        assert.equal(moved.headers.location, '/hello');
        moved.resume();
        const [packed] = await once(http.get(base + '/zipped'), 'response');
        const chunks = [];
        for await (const chunk of packed) chunks.push(chunk);
        assert.equal(Buffer.concat(chunks)[0], 31);
        const [error] = await once(http.get('http://127.0.0.1:1/'), 'error');
        assert.equal(error.code, 'ECONNREFUSED');
        const hung = http.get(base + '/slow');
        const [slow] = await once(hung, 'response');
        hung.destroy();
        assert.equal((await once(slow, 'error'))[0].code, 'ECONNRESET');
        assert.throws(() => http.createServer(), { code: 'ERR_METHOD_NOT_IMPLEMENTED' });
        assert.throws(() => http.request('ftp://x/'), { code: 'ERR_INVALID_PROTOCOL' });",
    );
}

#[test]
fn names_and_addresses() {
    passes(
        "import net from 'node:net';
        import dns from 'node:dns';
        assert.deepEqual(['1.2.3.4', '::1', 'fe80::1%lo', '::ffff:1.2.3.4', '1.2.3', '01.2.3.4', '', undefined, 'x'].map(net.isIP), [4, 6, 6, 6, 0, 0, 0, 0, 0]);
        const { address, family } = await dns.promises.lookup('localhost');
        assert.equal(net.isIP(address), family);
        assert.deepEqual(await dns.promises.lookup('1.2.3.4'), { address: '1.2.3.4', family: 4 });
        assert.equal((await failure(dns.promises.lookup('name.invalid'))).code, 'ENOTFOUND');
        assert.throws(() => net.connect(1), { code: 'ERR_METHOD_NOT_IMPLEMENTED' });
        assert(new net.Socket().destroy().destroyed);",
    );
}

#[test]
fn a_response_has_few_content_encodings() {
    passes(
        "for (const count of [6, 5_000]) {
          const error = await failure(fetch(`${base}/wrapped?${count}`));
          assert.equal(error.message, 'fetch failed');
          assert.equal(error.cause.message,
            `too many content-encodings in response: ${count}, maximum allowed is 5`);
          assert.ok(!('code' in error.cause));
        }",
    );
}
