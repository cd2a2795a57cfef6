"""Options of `partita check` that belong to models and checks: `--negative` of the bank.

A constructor says what can be set about a model or a check, as everything else that has options
does (`partita.checker.settings`). They are only looked through where a line has an option that is
not the command's own, or asks for help.
"""

from collections.abc import Mapping
from typing import Any

import click

from partita.checker.plugins import PluginError, find, names, one
from partita.checker.settings import Parameter, SettingError, parameters

_PREFIX = "model_setting_"


class CheckCommand(click.Command):
    """The command, with the options of all models and checks behind its own."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        return [*own, *_options()] if ctx.meta.get(_PREFIX) else own

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {name for each in self.params for name in (*each.opts, *each.secondary_opts)}
        given = {word.partition("=")[0] for word in args if word.startswith("--")}
        ctx.meta[_PREFIX] = bool(given - known)  # help among them
        return super().parse_args(ctx, args)


def settings_of(given: dict[str, Any]) -> Mapping[str, Any]:
    """Take the settings of models and checks out of what was given: those that were."""
    found = {name: given.pop(name) for name in list(given) if name.startswith(_PREFIX)}
    return {name.removeprefix(_PREFIX): value for name, value in found.items() if value is not None}


def _options() -> list[click.Option]:
    found: dict[str, click.Option] = {}
    for kind in ("models", "checks"):
        for name in names(kind):
            for parameter in _settings(kind, name):
                found.setdefault(parameter.name, _option(f"{one(kind)} {name}", parameter))
    return list(found.values())


def _settings(kind: str, name: str) -> list[Parameter]:
    try:
        # A model's first argument is its initial value, and others may be its own business.
        return [each for each in parameters(find(kind, name)) if each.about.help]
    except PluginError:  # which is said when it is asked for
        return []


def _option(owner: str, parameter: Parameter) -> click.Option:
    help_ = f"Of {owner}: {parameter.about.help}"
    if parameter.type is bool:
        names_ = [f"{parameter.option}/--no-{parameter.option[2:]}"]
        return click.Option([*names_, _PREFIX + parameter.name], default=None, help=help_)
    kind = click.Choice(parameter.choices) if parameter.choices else _Setting(parameter)
    return click.Option([parameter.option, _PREFIX + parameter.name], type=kind, help=help_)


class _Setting(click.ParamType[Any]):
    """The value of a setting, which its parameter reads."""

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.name = parameter.type.__name__

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return what the text stands for, within the parameter's bounds."""
        try:
            return self.parameter.taken(value)
        except SettingError as error:
            self.fail(str(error), param, ctx)
