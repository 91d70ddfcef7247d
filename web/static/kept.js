// A service worker that keeps what a page has fetched for the next visit, with and without network.
const KEPT = 'bnlib-BUILD';  // the build of the pages: a new one begins anew
const PARTS = /\/[0-9a-f]{16}\//;  // in the address of what belongs to one build
const coming = new Map();  // address → when it will be kept

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil((async () => {
  const ours = (await caches.keys()).filter(name => name.startsWith('bnlib-'));
  await Promise.all(ours.filter(name => name !== KEPT).map(name => caches.delete(name)));
  await self.clients.claim();
})()));
self.addEventListener('message', event => event.waitUntil((async () => {
  const cache = await caches.open(KEPT);
  for (const address of event.data.filter(isOfThisBuild)) {
    await coming.get(address);
    const request = new Request(address, PARTS.test(address) ? {} : { cache: 'no-cache' });
    if (!await cache.match(address)) await cache.add(request).catch(() => {});
  }
})()));
self.addEventListener('fetch', event => {
  if (event.request.method === 'GET' && isOurs(event.request.url)) {
    event.respondWith(answer(event));
  }
});

function isOurs(address) {
  return address.startsWith(self.registration.scope);
}

function isOfThisBuild(address) {
  return isOurs(address) && (!PARTS.test(address) || address.includes('/BUILD/'));
}

async function answer(event) {
  const { request } = event, cache = await caches.open(KEPT);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept && request.mode !== 'navigate') return kept;  // a page itself is asked for again
  try {
    // A page that the browser still holds may be one whose parts are gone.
    const fresh = await fetch(request, request.mode === 'navigate' ? { cache: 'no-cache' } : {});
    // A device that is full answers all the same, and keeps nothing.
    if (fresh.ok) coming.set(request.url, cache.put(request, fresh.clone()).catch(() => {}));
    event.waitUntil(coming.get(request.url));
    return fresh;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
