"""Where tasks run; knows nothing of stages."""
