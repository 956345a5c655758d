// Node's own clients read no proxy variables before version 22.21: they are led through tunnels here.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
const proxy = process.env.https_proxy && new URL(process.env.https_proxy);
if (proxy) {
  const isProxy = (host, port) => host === proxy.hostname && String(port) === proxy.port;
  const tunnel = (host, port, done) => {
    const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const socket = net.connect(proxy.port, proxy.hostname);
    let head = Buffer.alloc(0);
    const failed = (error) => done(error);
    const read = () => {
      for (let piece; (piece = socket.read()) !== null; ) {
        head = Buffer.concat([head, piece]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) continue;
        socket.off('readable', read);
        socket.off('error', failed);
        if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
        const line = head.toString('latin1').split('\r\n')[0];
        if (/^HTTP\/1\.\d 2/.test(line)) done(null, socket);
        else done(new Error(`proxy: ${line}`));
        return;
      }
    };
    socket.once('error', failed);
    socket.once('connect', () => socket.write(`CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n\r\n`));
    socket.on('readable', read);
  };
  const secure = (socket, options, name) => {
    const servername = options.servername || (net.isIP(name) ? undefined : name);
    // An address has no server name (RFC 6066 section 3): the certificate is held against the host.
    return tls.connect({ ...options, socket, servername, host: name, port: undefined, path: undefined });
  };
  for (const [agent, port, wrap] of [[http.Agent, 80, null], [https.Agent, 443, secure]]) {
    const direct = agent.prototype.createConnection;
    agent.prototype.createConnection = function (options, done) {
      const host = options.host || options.hostname || 'localhost';
      if (options.socketPath || isProxy(host, options.port || port) || !done) {
        return direct.call(this, options, done);
      }
      tunnel(host, options.port || port, (error, socket) => {
        if (error) return done(error);
        if (!wrap) return done(null, socket);
        const wrapped = wrap(socket, options, host);
        wrapped.once('secureConnect', () => wrapped.off('error', done));
        done(null, wrapped);
      });
      return undefined;
    };
  }
  const slot = Symbol.for('undici.globalDispatcher.1');
  // Reading it loads what fetch is made of.
  void globalThis.Response;
  const own = globalThis[slot];
  if (own) {
    globalThis[slot] = new own.constructor({
      connect: (options, done) => {
        const name = options.hostname;
        const port = options.port || (options.protocol === 'https:' ? 443 : 80);
        tunnel(name.replace(/^\[|\]$/g, ''), port, (error, socket) => {
          if (error) return done(error);
          if (options.protocol !== 'https:') return done(null, socket);
          const wrapped = secure(socket, { servername: options.servername, ALPNProtocols: ['http/1.1'] }, name);
          wrapped.once('error', done);
          wrapped.once('secureConnect', () => {
            wrapped.off('error', done);
            done(null, wrapped);
          });
        });
      },
    });
  }
}
