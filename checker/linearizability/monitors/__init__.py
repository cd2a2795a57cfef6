"""Engines that decide one kind of object by its structure, in time that follows the length."""
