"""Puts the stubs of the contract into the package; pyproject.toml has the rest."""

from importlib.resources import files
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROTO = Path(__file__).resolve().parents[3] / "proto"


class BuildWithStubs(build_py):
    def run(self) -> None:
        super().run()
        # Only the build has it.
        from grpc_tools import protoc

        made = [f"--{kind}_out={self.build_lib}" for kind in ("python", "pyi", "grpc_python")]
        folders = [f"-I{PROTO}", f"-I{files('grpc_tools') / '_proto'}"]
        contract = [str(file) for file in sorted(PROTO.glob("userimport/v1/*.proto"))]
        if not contract or protoc.main(["protoc", *folders, *made, *contract]) != 0:
            raise RuntimeError("the stubs cannot be made: build in a checkout of the repository")


setup(cmdclass={"build_py": BuildWithStubs})
