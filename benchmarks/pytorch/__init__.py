"""Cairn's step and PyTorch's, timed in turns. Only turns.py, the program of PyTorch's side, needs torch."""
