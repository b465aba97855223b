"""The network and what comes from it: URLs, the address guard, robots, slots, the client, HTML, WARC."""
