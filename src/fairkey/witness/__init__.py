"""A witness: it remembers the largest log it has seen, and cosigns nothing that does not extend it.

Anybody can run one (docs/witness.md): a sellers' association, a consumer group, a rival. It needs neither a house nor
its database. The protocol is C2SP tlog-witness v1.0.0, so it serves every log of that kind.
"""
