// A service worker that keeps what a page has fetched for the next visit, with and without network.
const KEPT = 'bnlib-BUILD';  // the build of the pages: a new one begins anew

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil((async () => {
  const old = (await caches.keys()).filter(name => name !== KEPT);
  await Promise.all(old.map(name => caches.delete(name)));
  await self.clients.claim();
})()));
self.addEventListener('fetch', event => {
  const { method, url } = event.request;
  if (method === 'GET' && new URL(url).origin === location.origin) {
    event.respondWith(answer(event.request));
  }
});

async function answer(request) {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(request);
  if (kept && request.mode !== 'navigate') return kept;  // a page itself is asked for again
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
