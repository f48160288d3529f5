update customers set email = substr(email, 1, length(email) - 1) where id = 1;
alter table orders drop column currency;
