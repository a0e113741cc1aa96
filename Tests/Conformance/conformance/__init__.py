"""What PEP 3333 and the ASGI specifications require of a server, each line a check against a running server.

An application and the client's expectation of it stand side by side, named by the line's id (W17, H8, S4 …).
"""
