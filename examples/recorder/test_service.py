"""An asyncio service: text under keys. Some clients lose patience, and their requests stay open."""

import asyncio
from random import Random


class Store:
    """Keeps text under keys, one request after the other, as a server behind a network does."""

    def __init__(self, random):
        self.random = random
        self.values = {}
        self.lock = asyncio.Lock()

    async def put(self, key, text):
        await self.travel()
        async with self.lock:
            self.values[key] = text
        await self.travel()

    async def append(self, key, text):
        await self.travel()
        async with self.lock:
            old = self.values.get(key, "")
            await self.travel()  # nobody else gets in between
            self.values[key] = old + text
        await self.travel()

    async def get(self, key):
        await self.travel()
        async with self.lock:
            text = self.values.get(key, "")
        await self.travel()
        return text

    async def travel(self):
        for _ in range(self.random.randrange(5)):
            await asyncio.sleep(0)


async def client(name, store, history, random):
    for number in range(20):
        key, text = random.choice("ab"), f"{name}{number} "
        do = random.choice(["put", "append", "get"])
        with history.operation(do, None if do == "get" else text, key=key) as op:
            if do == "put":
                await store.put(key, text)
            elif do == "append":
                await store.append(key, text)
            else:
                op.output = await store.get(key)


async def impatient(name, store, history, random):
    """Begins a request and is cancelled: nobody knows whether it took effect."""
    task = asyncio.create_task(client(name, store, history, random))
    for _ in range(random.randrange(30)):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_the_service(history):
    history.model = "kv"
    random = Random(7)

    async def main():
        store = Store(random)
        clients = [client(name, store, history, random) for name in "wxyz"]
        await asyncio.gather(*clients, *(impatient(name, store, history, random) for name in "uv"))

    asyncio.run(main())
