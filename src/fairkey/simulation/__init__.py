"""A market of honest people and cheats around the real engine, under a clock that only this market turns.

Nothing of the engine is imitated: commands are decided and written as in production, deadlines come from the streams,
rulings from the published standard. Only people, the payment provider and the issuer are played.
"""
