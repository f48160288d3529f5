alter table orders add column currency text not null default 'EUR';
update customers set email = email || '.' where id = 1;
