//! Logs, commands, configuration and words, with secrets in them.

use super::encode::base64;
use super::{Piece, Planted};

/// What stands behind a request in the log, with secrets.
pub(crate) fn pieces(p: &Planted) -> Vec<Piece> {
    let (password, token, cookie, basic) = (&p.password, &p.token, &p.cookie, p.basic());
    let (coded, jwt, alone) = (p.password_in_target(), p.jwt(), base64(p.password.as_bytes()));
    let (digest, signature) = (&p.digest, &p.signature);
    let refused = "HTTP/1.1 401 Unauthorized";
    let text = |name: &str, text: String| Piece { name: name.to_owned(), bytes: text.into_bytes() };
    let logs = vec![
        text("combined", (10..40).map(|s| format!("192.0.2.7 - alice [22/Nov/2026:17:14:{s} +0000] \"GET /a?token={token}&password={coded} HTTP/1.1\" 401 12 \"https://alice:{coded}@h.example.com/?access_token={token}\" \"curl/8\"\n")).collect()),
        text("common", format!("192.0.2.7 - - [22/Nov/2026:17:14:01 +0000] \"GET /a?sid={cookie}&jwt={jwt} HTTP/1.1\" 401 12\n").repeat(3)),
        text("iis", format!("#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-22 17:00:00\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n2026-11-22 17:00:01 192.0.2.1 GET /a access_token={token}&password={coded} 80 - 192.0.2.7 curl sid={cookie} https://h/?token={token} 401 1 1326 5\n")),
        text("nginx error", format!("2026/11/22 17:00:00 [error] 12#12: *3 user \"alice\": password mismatch, client: 192.0.2.7, server: h, request: \"GET /a?token={token} HTTP/1.1\", host: \"h\", referrer: \"https://h/?access_token={token}&sid={cookie}\"\n")),
        text("apache error", format!("[Sun Nov 22 17:00:00.000000 2026] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.7:5] AH01617: user alice: authentication failure for \"/a?token={token}\": Password Mismatch, referer: https://h/?access_token={token}\n")),
        text("nginx debug", format!("2026/11/22 17:00:00 [debug] 12#12: *3 http header: \"Authorization: Basic {basic}\"\n2026/11/22 17:00:00 [debug] 12#12: *3 http header: \"Cookie: sid={cookie}\"\n2026/11/22 17:00:00 [debug] 12#12: *3 http uri: \"/a\"\n2026/11/22 17:00:00 [debug] 12#12: *3 http args: \"token={token}\"\n2026/11/22 17:00:00 [debug] 12#12: *3 HTTP/1.1 401 Unauthorized\n")),
        text("json log", format!("{{\"time\":\"2026-11-22T17:00:00Z\",\"method\":\"GET\",\"uri\":\"/a?token={token}\",\"status\":401,\"remote_addr\":\"192.0.2.7\",\"user\":\"alice\",\"http_authorization\":\"Basic {basic}\",\"cookie\":\"sid={cookie}\",\"password\":\"{password}\"}}\n").repeat(2)),
        text("caddy log", format!("{{\"level\":\"info\",\"ts\":1795000000.1,\"logger\":\"http.log.access\",\"msg\":\"handled request\",\"request\":{{\"remote_ip\":\"192.0.2.7\",\"method\":\"GET\",\"host\":\"h\",\"uri\":\"/a?token={token}\",\"headers\":{{\"Authorization\":[\"Bearer {jwt}\"],\"Cookie\":[\"sid={cookie}\"]}}}},\"status\":401}}\n").repeat(2)),
        text("program's log", format!("2026-11-22 17:00:00 ERROR login failed for alice with password={password} token={token}: 401 Unauthorized\n2026-11-22 17:00:01 DEBUG Authorization: Bearer {jwt}\n")),
    ];
    let commands = [
        ("curl -u", format!("curl -v -u 'alice:{password}' https://h.example.com/")),
        ("curl -u bare", format!("curl -u alice:{password} https://h.example.com/")),
        ("curl -ualice", format!("curl -sualice:{password} https://h.example.com/")),
        ("curl --user=", format!("curl --user=\"alice:{password}\" https://h.example.com/")),
        (
            "curl -H",
            format!(
                "curl -H \"Authorization: Bearer {token}\" -H 'X-Api-Key: {token}' https://h.example.com/"
            ),
        ),
        (
            "curl --oauth2-bearer",
            format!("curl --oauth2-bearer {token} -b sid={cookie} https://h.example.com/"),
        ),
        (
            "curl -d",
            format!("curl -d 'username=alice&password={coded}' https://h.example.com/?token={token}"),
        ),
        ("curl -d json", format!("curl --json '{{\"password\":\"{password}\"}}' https://h.example.com/")),
        ("curl userinfo", format!("curl https://alice:{coded}@h.example.com/")),
        (
            "wget",
            format!(
                "wget --user=alice --password='{password}' --header='Cookie: sid={cookie}' https://h.example.com/"
            ),
        ),
        ("httpie", format!("http -a 'alice:{password}' GET h.example.com Authorization:\"Bearer {token}\"")),
        ("http --auth bearer", format!("http -A bearer -a {token} h.example.com")),
        ("xh", format!("xh --bearer {token} h.example.com")),
        ("git clone", format!("git clone https://alice:{coded}@h.example.com/r.git")),
        (
            "git header",
            format!(
                "git -c http.extraHeader='Authorization: Basic {basic}' clone https://h.example.com/r.git"
            ),
        ),
        ("docker login", format!("docker login -u alice -p '{password}' h.example.com")),
        ("docker build", format!("docker build --build-arg TOKEN={token} .")),
        ("npm", format!("npm config set //r.example.com/:_authToken {token}")),
        ("az", format!("az login --service-principal -u app -p '{password}' --tenant t")),
        (
            "powershell",
            format!(
                "Invoke-WebRequest https://h.example.com/ -Headers @{{ Authorization = \"Bearer {token}\" }}"
            ),
        ),
        (
            "powershell password",
            format!(
                "$p = ConvertTo-SecureString '{password}' -AsPlainText -Force; New-Object PSCredential('alice', $p)"
            ),
        ),
        ("net use", format!("net use \\\\h.example.com\\s {password} /user:alice")),
        ("export", format!("export API_TOKEN={token} DB_PASSWORD='{password}'")),
        (
            "python",
            format!(
                "requests.get('https://h.example.com/', auth=('alice', '{password}'), headers={{'X-Api-Key': '{token}'}}, cookies={{'sid': '{cookie}'}})"
            ),
        ),
        ("python digest", format!("requests.get(u, auth=HTTPDigestAuth('alice', '{password}'))")),
        (
            "fetch",
            format!(
                "fetch('https://h.example.com/', {{ headers: {{ authorization: 'Bearer {token}', cookie: `sid={cookie}` }} }})"
            ),
        ),
        ("java", format!("conn.setRequestProperty(\"Authorization\", \"Basic {basic}\");")),
        ("go", format!("req.SetBasicAuth(\"alice\", \"{password}\")")),
    ];
    let files = [
        ("netrc", format!("machine h.example.com login alice password {password}\n")),
        ("netrc lines", format!("machine h.example.com\n  login alice\n  password {password}\n")),
        (
            "npmrc",
            format!(
                "registry=https://r.example.com/\n//r.example.com/:_authToken={token}\n//r.example.com/:_password={alone}\n//r.example.com/:_auth={basic}\n"
            ),
        ),
        ("yarnrc", format!("npmRegistryServer: \"https://r.example.com\"\nnpmAuthToken: \"{token}\"\n")),
        ("pip.conf", format!("[global]\nindex-url = https://alice:{coded}@r.example.com/simple\n")),
        ("pypirc", format!("[pypi]\nusername = __token__\npassword = {token}\n")),
        ("git-credentials", format!("https://alice:{coded}@h.example.com\n")),
        (
            "docker config",
            format!(
                "{{\n  \"auths\": {{\n    \"h.example.com\": {{ \"auth\": \"{basic}\", \"identitytoken\": \"{token}\" }}\n  }}\n}}\n"
            ),
        ),
        (
            "kubeconfig",
            format!("users:\n- name: alice\n  user:\n    token: {token}\n    password: \"{password}\"\n"),
        ),
        (
            "env",
            format!(
                "API_URL=https://h.example.com\nAPI_KEY={token}\nDB_PASSWORD={password}\nSESSION_COOKIE={cookie}\n"
            ),
        ),
        (
            "yaml",
            format!(
                "api:\n  url: https://h.example.com/\n  username: alice\n  password: '{password}'\n  client_secret: {token}\n"
            ),
        ),
        ("properties", format!("spring.security.user.password={password}\nclient-secret={token}\n")),
        ("toml", format!("[registry]\ntoken = \"{token}\"\npassword = \"{password}\"\n")),
        (
            "settings.xml",
            format!("<server><id>r</id><username>alice</username><password>{password}</password></server>\n"),
        ),
        (
            "web.config",
            format!(
                "<add name=\"c\" connectionString=\"Server=d;User Id=alice;Password={password};\" />\n<identity impersonate=\"true\" userName=\"alice\" password=\"{password}\" />\n"
            ),
        ),
        (
            "nginx conf",
            format!(
                "location / {{\n  proxy_set_header Authorization \"Basic {basic}\";\n  proxy_set_header X-Api-Key {token};\n  proxy_pass http://b;\n}}\n"
            ),
        ),
        (
            "apache conf",
            format!(
                "RequestHeader set Authorization \"Basic {basic}\"\nAuthLDAPBindPassword \"{password}\"\n"
            ),
        ),
        ("htpasswd", format!("alice:{{SHA}}{}\n", base64(token.as_bytes()))),
        (
            "aws",
            format!(
                "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = {token}\naws_session_token = {token}\n"
            ),
        ),
        (
            "private key",
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(token.as_bytes())),
        ),
    ];
    let words = [
        (
            "a sentence",
            format!(
                "I get a 401 Unauthorized with user alice and password {password} on https://h.example.com/?token={token}"
            ),
        ),
        ("a message", format!("Error: 401 Unauthorized: invalid token {jwt}")),
        (
            "an exception",
            format!(
                "org.springframework.security.oauth2.jwt.JwtException: An error occurred while attempting to decode the Jwt: Jwt expired: {jwt}"
            ),
        ),
        (
            "a page",
            format!(
                "<html><body><h1>401 Unauthorized</h1><p>token={token}</p><a href=\"https://alice:{coded}@h/\">x</a><input type=\"hidden\" name=\"csrf_token\" value=\"{token}\"></body></html>"
            ),
        ),
        (
            "fields alone",
            format!("Authorization: Bearer {token}\nCookie: sid={cookie}\nX-Api-Key: {token}\n"),
        ),
        (
            "digest alone",
            format!(
                "Authorization: Digest username=\"alice\", realm=\"x\", nonce=\"n\", uri=\"/\", response=\"{digest}\"\n\n{refused}\n"
            ),
        ),
        (
            "signature alone",
            format!(
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu/s3/aws4_request, SignedHeaders=host, Signature={signature}\n\n{refused}\n"
            ),
        ),
        (
            "HTTPie",
            format!(
                "GET /a?token={token} HTTP/1.1\nAccept: */*\nAuthorization: Basic {basic}\nCookie: sid={cookie}\nHost: h.example.com\nUser-Agent: HTTPie/3.2\n\n\n\nHTTP/1.1 401 Unauthorized\nContent-Type: application/json\nSet-Cookie: sid={cookie}\nWWW-Authenticate: Basic realm=\"x\"\n\n{{\n    \"access_token\": \"{token}\",\n    \"password\": \"{password}\"\n}}\n"
            ),
        ),
        (
            "git trace",
            format!(
                "17:00:00.0 http.c:756 => Send header: GET /r.git/info/refs HTTP/1.1\n17:00:00.0 http.c:756 => Send header: Host: h.example.com\n17:00:00.0 http.c:756 => Send header: Authorization: Basic {basic}\n17:00:00.0 http.c:756 => Send header:\n17:00:00.1 http.c:756 <= Recv header: HTTP/1.1 401 Unauthorized\n17:00:00.1 http.c:756 <= Recv header: WWW-Authenticate: Basic realm=\"x\"\n17:00:00.1 http.c:756 <= Recv header: Set-Cookie: sid={cookie}\n17:00:00.1 http.c:756 <= Recv header:\n"
            ),
        ),
        (
            "python debug",
            format!(
                "send: b'GET /a?token={token} HTTP/1.1\\r\\nHost: h.example.com\\r\\nAuthorization: Basic {basic}\\r\\nCookie: sid={cookie}\\r\\n\\r\\n'\nreply: 'HTTP/1.1 401 Unauthorized\\r\\n'\nheader: WWW-Authenticate: Basic realm=\"x\"\nheader: Set-Cookie: sid={cookie}\n"
            ),
        ),
        (
            "http2",
            format!(
                "* [HTTP/2] [1] OPENED stream for https://h.example.com/a?token={token}\n* [HTTP/2] [1] [:method: GET]\n* [HTTP/2] [1] [:path: /a?token={token}]\n* [HTTP/2] [1] [authorization: Bearer {jwt}]\n* [HTTP/2] [1] [cookie: sid={cookie}]\n> GET /a?token={token} HTTP/2\n> Host: h.example.com\n> authorization: Bearer {jwt}\n> cookie: sid={cookie}\n> \n< HTTP/2 401\n< www-authenticate: Bearer error=\"invalid_token\"\n< set-cookie: sid={cookie}\n< \n"
            ),
        ),
    ];
    let with_answer = commands.into_iter().map(|(name, line)| {
        text(name, format!("$ {line}\n> GET / HTTP/1.1\n> Host: h.example.com\n> \n< {refused}\n< WWW-Authenticate: Basic realm=\"x\"\n< \n"))
    });
    let in_text = files.into_iter().map(|(name, file)| {
        text(name, format!("{file}\n{refused}\nWWW-Authenticate: Basic realm=\"x\"\n\n"))
    });
    let words = words.into_iter().map(|(name, words)| text(name, words));
    logs.into_iter().chain(with_answer).chain(in_text).chain(words).collect()
}
