drop table data_protection_keys;
