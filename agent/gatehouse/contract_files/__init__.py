"""The contract as files, made from its types: an AsyncAPI document and JSON Schemas.

``python -m gatehouse.contract_files config/district`` writes them. Nothing of the services imports
this.
"""
