"""The vault: data keys, sealed codes, the fingerprints that keep a code from being deposited twice, and staging of
imports.
"""
