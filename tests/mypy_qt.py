"""A plugin of mypy's: the properties of Qt's that a constructor takes as keywords, also those of its base classes.

PySide6 takes any property of a class as a keyword when one is made: QLabel("…", objectName="hint", visible=False). Its
stubs name in each class only the properties that the class itself declares, so `objectName`, which QObject declares,
and `visible`, which QWidget does, are unknown to mypy where a QLabel is made. Here each constructor also gets what the
stubs of its base classes name, with its types. Otherwise about a hundred calls would have to go unchecked.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import ArgKind, FuncDef, OverloadedFuncDef, TypeInfo
from mypy.plugin import FunctionSigContext, Plugin
from mypy.types import FunctionLike, Instance, Type, get_proper_type

_QT, _ROOT = "PySide6.", "PySide6.QtCore.QObject"


class QtKeywords(Plugin):
    """Widens the constructors of QObjects, and of subclasses that leave the constructor to Qt."""

    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], FunctionLike] | None:
        symbol = self.lookup_fully_qualified(fullname)
        if symbol is None or not isinstance(symbol.node, TypeInfo) or not symbol.node.has_base(_ROOT):
            return None
        constructor = symbol.node.get_method("__init__")
        return _widen if constructor is not None and constructor.info.fullname.startswith(_QT) else None


def _widen(context: FunctionSigContext) -> FunctionLike:
    signature = context.default_signature
    made = get_proper_type(signature.ret_type)
    assert isinstance(made, Instance), made
    more = {name: kind for name, kind in _properties(made.type).items() if name not in signature.arg_names}
    return signature.copy_modified(
        arg_types=[*signature.arg_types, *more.values()],
        arg_kinds=[*signature.arg_kinds, *[ArgKind.ARG_NAMED_OPT] * len(more)],
        arg_names=[*signature.arg_names, *more],
    )


def _properties(info: TypeInfo) -> dict[str, Type]:
    """What the constructors of a class and of its bases take as keywords, with the types."""
    found: dict[str, Type] = {}
    for base in info.mro:
        symbol = base.names.get("__init__")
        constructor = None if symbol is None else symbol.node
        if not base.fullname.startswith(_QT) or not isinstance(constructor, FuncDef | OverloadedFuncDef):
            continue
        assert isinstance(constructor.type, FunctionLike), constructor
        for each in constructor.type.items:
            for name, of, value in zip(each.arg_names, each.arg_kinds, each.arg_types, strict=True):
                if name is not None and of is ArgKind.ARG_NAMED_OPT:
                    found.setdefault(name, value)
    return found


def plugin(_version: str) -> type[QtKeywords]:
    """Where mypy enters."""
    return QtKeywords
