// URL, URLSearchParams and node:url.
import { fileURLToPath, pathToFileURL } from 'node:url';
for (const [input, base] of [['http://example.com'], ['HTTP://EXAMPLE.com:80/a/../b?x#y'], ['../x', 'http://h/a/b/c'], ['//h2/p', 'https://h'], ['?q', 'http://h/p?z'],
  ['file:///a/b c'], ['data:text/plain,hi'], ['http://user:pa ss@h:8080/'], ['http://[::1]/'], ['http://1.2.3'], ['blob:http://h/id'], ['mailto:a@b'], ['http://ü.com/ü?ü#ü'], ['nope'], ['http://'], ['http://a b/'], ['x', 'y']]) {
  try {
    const u = new URL(input, base);
    console.log(u.href, u.origin, u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash);
  } catch (e) { console.log(e.name, e.code, e.message, e.input); }
}
const u = new URL('http://h/p?a=1&b=2');
u.searchParams.append('c', 'x y'); console.log(u.href, u.searchParams.get('c'), u.searchParams.size);
u.search = '?z=9'; console.log([...u.searchParams], u.searchParams.toString());
u.protocol = 'https'; u.host = 'other:99'; u.port = '443'; u.pathname = 'a b'; u.hash = 'h'; u.username = 'me'; console.log(u.href);
u.searchParams.delete('z'); console.log(u.href); u.href = 'http://new/?k=v'; console.log(u.searchParams.get('k'), JSON.stringify(u), `${u}`);
const p = new URLSearchParams({ a: '1', b: 'ü &=' }); p.sort(); console.log(p.toString(), p.has('a'), p.has('a', '2'), p.getAll('b'), [...p.keys()], [...p.values()]);
console.log(new URLSearchParams([['x', '1'], ['x', '2']]).toString(), new URLSearchParams('?a=%20+&b').toString(), URL.canParse('x'), URL.canParse('x', 'http://h'));
console.log(fileURLToPath('file:///a%20b/c'), pathToFileURL('/a b/#c?d%').href, pathToFileURL('/dir/').href);
try { fileURLToPath('http://x'); } catch (e) { console.log(e.code, e.message); }
