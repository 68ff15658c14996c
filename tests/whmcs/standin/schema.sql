CREATE TABLE tblconfiguration (setting VARCHAR(64) PRIMARY KEY, value TEXT NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblcurrencies (id INT AUTO_INCREMENT PRIMARY KEY, code TEXT NOT NULL, prefix TEXT NOT NULL, suffix TEXT NOT NULL, format INT NOT NULL, rate DECIMAL(10,5) NOT NULL DEFAULT 1, `default` INT NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblclients (id INT AUTO_INCREMENT PRIMARY KEY, firstname TEXT NOT NULL, lastname TEXT NOT NULL, email TEXT NOT NULL, phonenumber TEXT NOT NULL, currency INT NOT NULL, language TEXT NOT NULL, credit DECIMAL(16,2) NOT NULL DEFAULT 0) ENGINE=InnoDB;
CREATE TABLE tblinvoices (id INT AUTO_INCREMENT PRIMARY KEY, userid INT NOT NULL, date DATE, duedate DATE, datepaid DATETIME, subtotal DECIMAL(16,2) NOT NULL, credit DECIMAL(16,2) NOT NULL DEFAULT 0, total DECIMAL(16,2) NOT NULL, status TEXT NOT NULL, paymentmethod TEXT NOT NULL, KEY userid (userid)) ENGINE=InnoDB;
CREATE TABLE tblinvoiceitems (id INT AUTO_INCREMENT PRIMARY KEY, invoiceid INT NOT NULL, userid INT NOT NULL, type VARCHAR(30) NOT NULL, relid INT NOT NULL, description TEXT NOT NULL, amount DECIMAL(16,2) NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblaccounts (id INT AUTO_INCREMENT PRIMARY KEY, userid INT NOT NULL, currency INT NOT NULL, gateway TEXT NOT NULL, date DATETIME, description TEXT NOT NULL, amountin DECIMAL(16,2) NOT NULL DEFAULT 0, fees DECIMAL(16,2) NOT NULL DEFAULT 0, amountout DECIMAL(16,2) NOT NULL DEFAULT 0, rate DECIMAL(16,5) NOT NULL DEFAULT 1, transid TEXT NOT NULL, invoiceid INT NOT NULL DEFAULT 0, refundid INT NOT NULL DEFAULT 0, KEY invoiceid (invoiceid), KEY transid (transid(32))) ENGINE=InnoDB;
CREATE TABLE tblcredit (id INT AUTO_INCREMENT PRIMARY KEY, clientid INT NOT NULL, date DATE NOT NULL, description TEXT NOT NULL, amount DECIMAL(16,2) NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblpaymentgateways (id INT AUTO_INCREMENT PRIMARY KEY, gateway TEXT NOT NULL, setting TEXT NOT NULL, value TEXT NOT NULL, `order` INT NOT NULL DEFAULT 0) ENGINE=InnoDB;
CREATE TABLE tblgatewaylog (id INT AUTO_INCREMENT PRIMARY KEY, date DATETIME, gateway TEXT NOT NULL, data TEXT NOT NULL, result TEXT NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblmodulelog (id INT AUTO_INCREMENT PRIMARY KEY, date DATETIME, module VARCHAR(255) NOT NULL, action VARCHAR(255) NOT NULL, request TEXT NOT NULL, response TEXT NOT NULL, arrdata TEXT NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblactivitylog (id INT AUTO_INCREMENT PRIMARY KEY, date DATETIME, description TEXT NOT NULL, userid INT NOT NULL DEFAULT 0) ENGINE=InnoDB;
CREATE TABLE tbltodolist (id INT AUTO_INCREMENT PRIMARY KEY, date DATE NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL, admin INT NOT NULL, status TEXT NOT NULL, duedate DATE NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblproducts (id INT AUTO_INCREMENT PRIMARY KEY, name TEXT NOT NULL, servertype TEXT NOT NULL, configoption1 TEXT NOT NULL, configoption2 TEXT NOT NULL, configoption3 TEXT NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblhosting (id INT AUTO_INCREMENT PRIMARY KEY, userid INT NOT NULL, packageid INT NOT NULL, domainstatus VARCHAR(20) NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblcustomfields (id INT AUTO_INCREMENT PRIMARY KEY, type TEXT NOT NULL, relid INT NOT NULL, fieldname TEXT NOT NULL) ENGINE=InnoDB;
CREATE TABLE tblcustomfieldsvalues (id INT AUTO_INCREMENT PRIMARY KEY, fieldid INT NOT NULL, relid INT NOT NULL, value TEXT NOT NULL) ENGINE=InnoDB;
CREATE TABLE faults (point VARCHAR(32) PRIMARY KEY, act VARCHAR(8) NOT NULL) ENGINE=InnoDB;

INSERT INTO tblcurrencies (code, prefix, suffix, format, rate, `default`) VALUES ('IDR', 'Rp', '', 3, 1, 1), ('USD', '$', ' USD', 1, 0.00006, 0);
INSERT INTO tblclients (firstname, lastname, email, phonenumber, currency, language) VALUES
    ('Budi', 'Santoso', 'budi@example.com', '+62.81200000001', 1, ''),
    ('Siti', 'O&#039;Rahayu Kusumawardhani', 'siti@example.com', '+62.81200000002', 1, 'english'),
    ('Dollar', 'Client', 'dollar@example.com', '+62.81200000003', 2, 'english');
