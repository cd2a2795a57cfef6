"""A cache before a store, with a mistake that is often made: this test fails, and says why.

A reader that misses fetches the value and puts it into the cache. If the value is replaced in
the meantime, the cache keeps the old one, which nobody will remove.
"""

import asyncio


async def steps(count):
    """Let the others go on that many times."""
    for _ in range(count):
        await asyncio.sleep(0)


class Cache:
    """Values of a slow store, kept after the first read and forgotten at each write."""

    def __init__(self):
        self.stored = {}
        self.kept = {}

    async def write(self, key, value):
        await steps(1)
        self.stored[key] = value
        self.kept.pop(key, None)

    async def read(self, key):
        if key not in self.kept:
            value = self.stored.get(key)
            await steps(2)  # the answer of the store is on its way
            self.kept[key] = value  # the mistake: it may be old by now
        return self.kept[key]


def test_the_cache(history):
    history.model = "register"
    cache = Cache()

    async def write(value):
        with history.operation("write", value, key="price"):
            await cache.write("price", value)

    async def read():
        with history.operation("read", key="price") as op:
            op.output = await cache.read("price")

    async def main():
        await write(10)
        await asyncio.gather(read(), write(20))
        await read()

    asyncio.run(main())
