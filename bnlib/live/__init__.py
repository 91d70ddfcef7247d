"""Figures that move, explorers, and trainings behind them: a toolkit that knows nothing of BN."""
