// What a program gets with `import Carboy`: the layer in this folder, and the generated records, errors and protocols.

@_exported import CarboyBindings
@_exported import CarboyIds
